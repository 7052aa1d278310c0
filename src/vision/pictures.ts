import { asString, isObject, type JsonObject } from '../core/json.ts';

/** What a model may be unable to see. */
export type PictureKind = 'image' | 'document';

/** Which kinds a model cannot see. */
export interface Blindness {
  readonly image: boolean;
  readonly document: boolean;
}

/** A picture of a Messages request: an image, or a PDF as one. */
export interface Picture {
  readonly kind: PictureKind;
  /** As the client wrote it, of type `image` or `document`. */
  readonly block: JsonObject;
  /** The call whose result it stands in. */
  readonly toolUseId: string | undefined;
}

/** What was asked where a picture stands; it depends on nothing behind that place. */
export interface Question {
  /** The call that has brought the picture: the tool's name, and its input as JSON. */
  readonly tool: { readonly name: string; readonly input: string } | undefined;
  /** What the user said beside the picture, else what the user said last before it. */
  readonly asked: string;
}

type Visit = (picture: Picture) => JsonObject;

const isText = (mediaType: unknown) => typeof mediaType === 'string' && mediaType.startsWith('text/');

function visitBlock(block: unknown, toolUseId: string | undefined, visit: Visit): unknown {
  if (!isObject(block)) return block;
  switch (block['type']) {
    case 'image':
      return visit({ kind: 'image', block, toolUseId });
    case 'document': {
      const source = isObject(block['source']) ? block['source'] : {};
      if (source['type'] === 'content') {
        const content = visitContent(source['content'], toolUseId, visit);
        return content === source['content'] ? block : { ...block, source: { ...source, content } };
      }
      // A document of text can be read by any model.
      const isRead = source['type'] === 'text' || isText(source['media_type']);
      return isRead ? block : visit({ kind: 'document', block, toolUseId });
    }
    case 'tool_result': {
      const content = visitContent(block['content'], asString(block['tool_use_id']), visit);
      return content === block['content'] ? block : { ...block, content };
    }
    default:
      return block;
  }
}

/** Content with what `visit` gives in the place of each picture; what has none is given back itself. */
function visitContent(content: unknown, toolUseId: string | undefined, visit: Visit): JsonObject[string] {
  if (isObject(content)) return visitBlock(content, toolUseId, visit) as JsonObject;
  if (!Array.isArray(content)) return content as JsonObject[string];
  let changed: unknown[] | undefined;
  for (const [index, block] of content.entries()) {
    const visited = visitBlock(block, toolUseId, visit);
    if (visited === block) continue;
    changed ??= [...content];
    changed[index] = visited;
  }
  return (changed ?? content) as JsonObject[string];
}

/** The pictures of a message in their order: beside its text, in results of tools, and within documents. */
export function findPictures(message: JsonObject): Picture[] {
  const pictures: Picture[] = [];
  visitContent(message['content'], undefined, (picture) => {
    pictures.push(picture);
    return picture.block;
  });
  return pictures;
}

/**
 * The message with texts in the place of the pictures that a model cannot see; a cache breakpoint stays where it is.
 * @param texts for these pictures, in their order
 */
export function replacePictures(message: JsonObject, blindness: Blindness, texts: readonly string[]): JsonObject {
  let next = 0;
  const content = visitContent(message['content'], undefined, ({ kind, block }) => {
    if (!blindness[kind]) return block;
    const text = texts[next] ?? '';
    next += 1;
    const { cache_control: breakpoint } = block;
    return { type: 'text', text, ...(breakpoint === undefined ? {} : { cache_control: breakpoint }) };
  });
  return { ...message, content };
}

/** A document's title, which says more than "document". */
export function titleOf({ block }: Picture): string | undefined {
  return asString(block['title']);
}

/** Whether only the address of a picture is there, which its reader has to load. */
export function isLink({ block }: Picture): boolean {
  return isObject(block['source']) && block['source']['type'] === 'url';
}

/** What distinguishes a picture from others: its bytes in base64, else its address. Undefined where it has neither. */
export function bytesOf({ block }: Picture): string | undefined {
  const source = isObject(block['source']) ? block['source'] : {};
  return asString(source['data']) ?? asString(source['url']);
}

/** So many letters say what is asked; a user may have pasted a whole log. */
const QUESTION_LETTERS = 2000;

const REMINDER_BEGINNING = '<system-reminder>';
const REMINDER_END = '</system-reminder>';

/** A text without the reminders that the client puts into it, which change from turn to turn and ask nothing. */
export function withoutReminders(text: string): string {
  let rest = '';
  let at = 0;
  for (;;) {
    const start = text.indexOf(REMINDER_BEGINNING, at);
    const end = start < 0 ? -1 : text.indexOf(REMINDER_END, start);
    if (end < 0) return (rest + text.slice(at, start < 0 ? undefined : start)).trim();
    rest += text.slice(at, start);
    at = end + REMINDER_END.length;
  }
}

/** What a user says in a message, as far as a question needs it. */
function saidIn(message: unknown): string {
  if (!isObject(message) || message['role'] !== 'user') return '';
  const { content } = message;
  const texts =
    typeof content === 'string'
      ? [content]
      : (Array.isArray(content) ? content : []).flatMap((block) =>
          isObject(block) && block['type'] === 'text' ? [asString(block['text']) ?? ''] : [],
        );
  const said = texts.map(withoutReminders).filter((text) => text !== '');
  return said.join('\n').slice(0, QUESTION_LETTERS);
}

/**
 * Says what was asked at the places of pictures, from what stands there and before. However many pictures there are, it looks at each
 * message once.
 */
export class QuestionFinder {
  readonly #messages: readonly unknown[];
  /** What the user has said last, by the message up to which. */
  readonly #asked = new Map<number, string>();
  /** The last call with an id, among so many messages. */
  readonly #calls = new Map<string, JsonObject>();
  #searched = 0;
  readonly #tools = new Map<JsonObject, Question['tool']>();

  constructor(messages: readonly unknown[]) {
    this.#messages = messages;
  }

  /** @param index of the message with the picture; never a lower one than before */
  questionAt(index: number, { toolUseId }: Picture): Question {
    return { tool: toolUseId === undefined ? undefined : this.#toolOf(toolUseId, index), asked: this.#askedAt(index) };
  }

  #askedAt(index: number): string {
    let at = index;
    let asked: string | undefined;
    for (; at >= 0 && asked === undefined; at -= 1) {
      asked = this.#asked.get(at) ?? (saidIn(this.#messages[at]).toWellFormed() || undefined);
    }
    asked ??= '';
    for (let passed = at + 1; passed <= index; passed += 1) this.#asked.set(passed, asked);
    return asked;
  }

  #toolOf(id: string, before: number): Question['tool'] {
    for (; this.#searched < before; this.#searched += 1) this.#addCalls(this.#messages[this.#searched]);
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    let tool = this.#tools.get(call);
    if (tool === undefined) {
      const input = JSON.stringify(call['input'] ?? {}).slice(0, QUESTION_LETTERS);
      tool = { name: asString(call['name']) ?? '', input };
      this.#tools.set(call, tool);
    }
    return tool;
  }

  #addCalls(message: unknown): void {
    if (!isObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content'])) return;
    for (const block of message['content'].toReversed()) {
      const id = isObject(block) && block['type'] === 'tool_use' ? asString(block['id']) : undefined;
      // Of several with one id in a message the first counts.
      if (id !== undefined) this.#calls.set(id, block as JsonObject);
    }
  }
}
