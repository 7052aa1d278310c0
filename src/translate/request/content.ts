import { asString, isObject, type JsonObject } from '../../core/json.ts';
import type { ContentBlock, MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../../protocol/openai/types.ts';
import type { Context } from './context.ts';
import { describeServerResult } from './tools.ts';

/** The content of a user message, tool result or document as parts in the same order; empty texts are skipped. */
export function translateContent(content: unknown, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return nonEmpty(withoutSkill(content, context));
  return asBlocks(content).flatMap((block) => translateBlock(block, context));
}

/** Content as a list of blocks, also where a client has sent one block alone, a text for a block, or plain JSON. */
function asBlocks(content: unknown): ContentBlock[] {
  if (content === undefined || content === null) return [];
  const list: unknown[] = Array.isArray(content) ? content : [content];
  return list.map((block) => {
    if (isObject(block) && typeof block['type'] === 'string') return block as ContentBlock;
    const text = isObject(block) ? asString(block['text']) : asString(block);
    return { type: 'text', text: text ?? JSON.stringify(block) };
  });
}

/** One block as parts; tool results are the caller's. */
export function translateBlock(block: ContentBlock, context: Context): ChatContentPart[] {
  switch (block.type) {
    case 'text':
      return nonEmpty(withoutSkill(asString(block['text']) ?? '', context)).map((part) =>
        markBreakpoint(part, block, context),
      );
    case 'image':
      return [translateImage(block, context)];
    case 'document':
      return translateDocument(block, context);
    case 'search_result':
      return nonEmpty(describeSearchResult(block));
    case 'tool_reference':
      return [textPart(describeReference(asString(block['tool_name']) ?? '', context))];
    default: {
      const text = describeServerResult(block);
      if (text === undefined) context.notes.add(`block_dropped:${block.type}`);
      return text === undefined ? [] : [textPart(text)];
    }
  }
}

function nonEmpty(text: string): ChatContentPart[] {
  return text === '' ? [] : [textPart(text)];
}

export function textPart(text: string): ChatContentPart {
  return { type: 'text', text };
}

function withoutSkill(text: string, { settings, notes }: Context): string {
  if (settings.elideSkills.length === 0) return text;
  const elided = elideSkill(text, settings.elideSkills);
  if (elided !== undefined) notes.add('skill_elided');
  return elided ?? text;
}

/** How Claude Code begins the text of a skill that was called; the last folder of the path is its name (seen with 2.1.328). */
const SKILL_HEAD = /^Base directory for this skill: [^\n]*[/\\]([^/\\\n]+)\n/;

/**
 * Leaves out the text of a skill that only makes sense for Claude, such as the bundled guide to Anthropic's own API of some
 * 30,000 tokens, and says so in its place. Only for the names that QUIRK_ELIDE_SKILLS lists; undefined for any other text.
 */
function elideSkill(text: string, names: readonly string[]): string | undefined {
  const name = SKILL_HEAD.exec(text)?.[1];
  if (name === undefined || !names.includes(name)) return undefined;
  return `[The text of the skill ${name} was left out: it is not meant for this model.]`;
}

/** Passes a block's cache breakpoint on to the part made of it, without `ttl` and `scope`. */
export function markBreakpoint(part: ChatContentPart, block: ContentBlock, context: Context): ChatContentPart {
  return context.breakpoints.has(block) && part.type === 'text'
    ? { ...part, cache_control: { type: 'ephemeral' } }
    : part;
}

/** Informs the model of a tool that a search has found. */
function describeReference(name: string, { tools, toolNames }: Context): string {
  const tool = tools.get(name);
  const shown = toolNames.toProvider(name);
  if (tool === undefined) return `Loaded tool: ${shown}`;
  return [`Tool ${shown} is now available.`, tool.description, `Parameters: ${JSON.stringify(tool.schema)}`]
    .filter((line) => line !== '')
    .join('\n');
}

/** A search result that the client gives as a source: title, address and text. */
export function describeSearchResult(block: ContentBlock): string {
  const texts = Array.isArray(block['content']) ? block['content'].filter(isObject).map((part) => part['text']) : [];
  return [block['title'], block['source'], ...texts]
    .filter((line) => typeof line === 'string' && line !== '')
    .join('\n');
}

/** First base64 letters of the formats that the Messages API takes, by media type. */
const IMAGE_BEGINNINGS: readonly (readonly [beginning: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** An image as an image part, or as a line that says why the model does not see it: never silently dropped. */
export function translateImage(block: ContentBlock, { settings, notes }: Context): ChatContentPart {
  const url = imageUrl(block['source']);
  if (!settings.vision) {
    notes.add('image_not_seen');
    return textPart('[An image was attached here. This model cannot see images.]');
  }
  if (url === undefined) {
    notes.add('image_unreadable');
    return textPart('[An image was attached here in a form that cannot be passed on.]');
  }
  if (settings.imageUrls === 'data' && !url.startsWith('data:')) {
    notes.add('image_link_not_loaded');
    return textPart(`[An image was linked here that cannot be loaded: ${url}]`);
  }
  return { type: 'image_url', image_url: { url } };
}

function imageUrl(source: unknown): string | undefined {
  if (!isObject(source)) return undefined;
  const data = asString(source['data']);
  // Without a type it is plain by what is there.
  const type = source['type'] ?? (data === undefined ? 'url' : 'base64');
  if (type === 'url') return asString(source['url']);
  if (type !== 'base64' || data === undefined) return undefined;
  const beginning = IMAGE_BEGINNINGS.find(([letters]) => data.startsWith(letters));
  return `data:${asString(source['media_type']) ?? beginning?.[1] ?? 'image/png'};base64,${data}`;
}

const PDF = 'application/pdf';

/** A document as text, as a file part, or as a line that says what is missing: never dropped, never base64 as text. */
export function translateDocument(block: ContentBlock, context: Context): ChatContentPart[] {
  const source = isObject(block['source']) ? block['source'] : {};
  const title = asString(block['title']);
  const heading = title === undefined ? [] : [`Document: ${title}`];
  const data = asString(source['data']);
  const mediaType = asString(source['media_type']);
  switch (source['type']) {
    case 'text':
      return [textPart([...heading, data ?? ''].join('\n'))];
    case 'content':
      return [...heading.map(textPart), ...innerParts(source['content'], context)];
    case 'base64':
      if (data === undefined) break;
      if (mediaType?.startsWith('text/')) {
        return [textPart([...heading, Buffer.from(data, 'base64').toString()].join('\n'))];
      }
      if (context.settings.pdf && (mediaType ?? PDF) === PDF) return [filePart(title, `data:${PDF};base64,${data}`)];
      break;
    case 'url':
      if (context.settings.pdf && context.settings.imageUrls === 'any' && typeof source['url'] === 'string') {
        return [filePart(title, source['url'])];
      }
  }
  context.notes.add('document_not_seen');
  return [textPart(describeUnseen(source, title))];
}

/** Text and images are all that a document of the client's own making can hold. */
function innerParts(content: unknown, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return [textPart(content)];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((block) => {
    if (block['type'] === 'image') return [translateImage(block as ContentBlock, context)];
    return typeof block['text'] === 'string' ? [textPart(block['text'])] : [];
  });
}

function filePart(title: string | undefined, fileData: string): ChatContentPart {
  const name = title ?? 'document';
  return { type: 'file', file: { filename: /\.pdf$/i.test(name) ? name : `${name}.pdf`, file_data: fileData } };
}

function describeUnseen(source: JsonObject, title: string | undefined): string {
  const data = asString(source['data']);
  const facts = [
    title === undefined ? 'without a title' : `"${title}"`,
    asString(source['media_type']) ??
      (source['type'] === 'url' ? asString(source['url']) : undefined) ??
      'unknown type',
    ...(data === undefined ? [] : [`${Math.ceil((data.length * 3) / 4 / 1024)} KB`]),
  ];
  return `[A document was attached here that this model cannot read: ${facts.join(', ')}]`;
}

/** The answer to one call: parts of its tool message, and media that must come after the run of tool messages. */
export interface TranslatedResult {
  readonly parts: ChatContentPart[];
  readonly media: ChatContentPart[];
}

/** The result of a call in the provider's words; a call that was interrupted gets a line that says so. */
export function translateResult(call: ContentBlock, context: Context): TranslatedResult {
  const result = context.pairing.results.get(call);
  const name = context.toolNames.toProvider(asString(call['name']) ?? '');
  if (result === undefined) {
    context.notes.add('result_missing');
    return { parts: [textPart(`[no result recorded for ${name}: interrupted]`)], media: [] };
  }
  const label = `from tool ${name}, call ${context.toolIds.get(call)}:`;
  const { lines, inline, after } = splitContent(result, label, context);
  const text = resultText(lines, result['is_error'] === true, inline.length > 0);
  const parts = text === '' ? [] : [markBreakpoint(textPart(text), result, context)];
  return { parts: [...parts, ...inline], media: after };
}

/** A result that answers no call, as text for the user message that it came in. */
export function describeOrphan(result: ContentBlock, context: Context): ChatContentPart[] {
  context.notes.add('result_without_call');
  const { lines, inline, after } = splitContent(result, 'from it:', context);
  const text = resultText(lines, result['is_error'] === true, false);
  return [textPart(`[result of unknown tool call ${asString(result['tool_use_id'])}] ${text}`), ...inline, ...after];
}

function splitContent(result: ContentBlock, label: string, context: Context) {
  const lines: string[] = [];
  const inline: ChatContentPart[] = [];
  const after: ChatContentPart[] = [];
  for (const part of translateContent(result['content'], context)) {
    if (part.type === 'text') lines.push(part.text);
    else if (context.settings.toolImages === 'inline') inline.push(part);
    else {
      const kind = part.type === 'file' ? 'document' : 'image';
      lines.push(`[${kind} attached below]`);
      after.push(textPart(`The ${kind} ${label}`), part);
    }
  }
  return { lines, inline, after };
}

/** OpenAI's tool messages know no error flag, and some providers refuse empty ones. */
function resultText(lines: readonly string[], isError: boolean, hasMedia: boolean): string {
  const text = lines.join('\n');
  if (isError) return `[tool error] ${text === '' ? '(no details)' : text}`;
  return text === '' && !hasMedia ? '(empty result)' : text;
}

/** More are refused ("maximum of 4 blocks"). */
const BREAKPOINTS_MAX = 4;

/** Text blocks and tool results whose cache breakpoint is kept: the last four, as each covers all that stands before it. */
export function selectBreakpoints(request: MessagesRequest): ReadonlySet<JsonObject> {
  const marked: JsonObject[] = [];
  collect(request['system'], marked);
  for (const message of request.messages) {
    if (message.role === 'user') collect(message.content, marked);
  }
  return new Set(marked.slice(-BREAKPOINTS_MAX));
}

function collect(content: unknown, marked: JsonObject[]): void {
  if (!Array.isArray(content)) return;
  for (const block of content) {
    const carries = isObject(block) && (block['type'] === 'text' || block['type'] === 'tool_result');
    if (carries && isObject(block['cache_control'])) marked.push(block);
  }
}
