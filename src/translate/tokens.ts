import { asString, isObject, type JsonObject } from '../core/json.ts';
import { type MessagesRequest, type RequestMessage, removeAttribution } from '../protocol/anthropic/request.ts';

/**
 * Estimated tokens in the two parts that tokenizers treat most differently: one spends half as many tokens again on Chinese
 * as another, and both the same on English. What each part is to be multiplied by is learned per model.
 */
export interface TokenParts {
  ideographs: number;
  rest: number;
}

/**
 * What the pieces cost into which tokenizers cut text, in tokens. The weights were fitted to a common tokenizer over prose,
 * code, JSON and Chinese; what differs from model to model is learned.
 */
const WORD = 1;
/** Each letter of a word beyond those that one token usually holds. */
const LONG_LETTER = 0.125;
const WORD_LETTERS = 6;
const DIGIT_GROUP = 1.25;
const DIGITS_PER_GROUP = 3;
const PUNCTUATION = 0.87;
const MORE_PUNCTUATION = 0.075;
const LINE_BREAK = 0.11;
/** Blanks cost nothing, unless there are several or a number follows. */
const BLANKS = 0.83;
const IDEOGRAPH = 0.7;
const OTHER_LETTER = 0.58;

/** Classes of the ASCII characters; everything beyond is a letter of another script. */
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const BLANK = 4;
const BREAK = 5;
const MARK = 6;
const FOREIGN = 7;

const classes = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 97 && code <= 122) return LOWER;
  if (code >= 65 && code <= 90) return UPPER;
  if (code >= 48 && code <= 57) return DIGIT;
  if (code === 10 || code === 13) return BREAK;
  return code <= 32 ? BLANK : MARK;
});

function classAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 128 ? (classes[code] ?? MARK) : FOREIGN;
}

/** Longer texts are sampled: what four windows cost, one of them shows nearly as well. */
const SAMPLED_LENGTH = 4096;
const WINDOW = 512;
const WINDOWS_PER_SAMPLE = 4;

/** Adds the estimated tokens of a text, linear in its length whatever it holds. */
export function addText(parts: TokenParts, text: string): void {
  if (text.length < SAMPLED_LENGTH) {
    addRange(parts, text, 0, text.length);
    return;
  }
  const sample = { ideographs: 0, rest: 0 };
  let counted = 0;
  for (let start = 0; start < text.length; start += WINDOW * WINDOWS_PER_SAMPLE) {
    const end = Math.min(start + WINDOW, text.length);
    addRange(sample, text, start, end);
    counted += end - start;
  }
  parts.ideographs += (sample.ideographs * text.length) / counted;
  parts.rest += (sample.rest * text.length) / counted;
}

function addRange(parts: TokenParts, text: string, from: number, to: number): void {
  let ideographs = 0;
  let rest = 0;
  let index = from;
  while (index < to) {
    const start = index;
    const kind = classAt(text, index);
    index += 1;
    if (kind === FOREIGN) {
      if (isIdeograph(text.charCodeAt(start))) ideographs += IDEOGRAPH;
      else rest += OTHER_LETTER;
    } else if (kind === LOWER || kind === UPPER) {
      // A word is capitals and then small letters: camelCase is cut before each hump.
      if (kind === UPPER) while (index < to && classAt(text, index) === UPPER) index += 1;
      while (index < to && classAt(text, index) === LOWER) index += 1;
      rest += WORD + LONG_LETTER * Math.max(0, index - start - WORD_LETTERS);
    } else {
      while (index < to && classAt(text, index) === kind) index += 1;
      rest += runTokens(kind, index - start, index < to && classAt(text, index) === DIGIT);
    }
  }
  parts.ideographs += ideographs;
  parts.rest += rest;
}

function runTokens(kind: number, length: number, beforeDigit: boolean): number {
  switch (kind) {
    case DIGIT:
      return DIGIT_GROUP * Math.ceil(length / DIGITS_PER_GROUP);
    case BREAK:
      return LINE_BREAK;
    case BLANK:
      return length > 1 || beforeDigit ? BLANKS : 0;
    default:
      return PUNCTUATION + MORE_PUNCTUATION * (length - 1);
  }
}

/** Characters of East Asian scripts, with their punctuation and wide forms. */
function isIdeograph(code: number): boolean {
  return (code >= 0x2e80 && code < 0xd800) || code >= 0xf900;
}

/** Tokens around each message and each tool. */
const PER_MESSAGE = 4;
const PER_IMAGE = 1600;
/** A page of a PDF has about this many bytes per token; at least one page is counted. */
const PDF_BYTES_PER_TOKEN = 40;
const PER_PDF_PAGE = 2000;

/** Fields that the provider never gets to see, or that say nothing to the model. */
const SILENT_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'cache_control',
  'signature',
  'data',
  'provider_fields',
  'extra_content',
]);

/** Adds the estimated tokens of a message's or the system prompt's content, every kind of block included. */
function addContent(parts: TokenParts, content: unknown): void {
  if (typeof content === 'string') addText(parts, removeAttribution(content));
  if (!Array.isArray(content)) return;
  for (const block of content) {
    if (isObject(block)) addBlock(parts, block);
    else addContent(parts, block);
  }
}

function addBlock(parts: TokenParts, block: JsonObject): void {
  switch (block['type']) {
    case 'text':
      addContent(parts, block['text']);
      break;
    case 'image':
      parts.rest += PER_IMAGE;
      break;
    case 'document':
      addDocument(parts, block['source']);
      break;
    case 'tool_result':
      parts.rest += PER_MESSAGE;
      addContent(parts, block['content']);
      break;
    default:
      addValue(parts, block);
  }
}

function addDocument(parts: TokenParts, source: unknown): void {
  if (!isObject(source)) return;
  const data = asString(source['data']) ?? '';
  if (source['type'] === 'content') addContent(parts, source['content']);
  else if (source['type'] === 'text') addText(parts, data);
  else parts.rest += Math.max(PER_PDF_PAGE, (data.length * 3) / 4 / PDF_BYTES_PER_TOKEN);
}

/** A JSON value as the model reads it: its strings, its names and its punctuation. */
function addValue(parts: TokenParts, value: unknown): void {
  if (typeof value === 'string') {
    parts.rest += 1;
    addText(parts, value);
  } else if (typeof value !== 'object' || value === null) {
    parts.rest += 2;
  } else if (Array.isArray(value)) {
    parts.rest += 1;
    for (const child of value) addValue(parts, child);
  } else {
    parts.rest += 1;
    for (const [key, child] of Object.entries(value)) {
      if (SILENT_FIELDS.has(key) && typeof child !== 'object') continue;
      parts.rest += 1;
      addText(parts, key);
      addValue(parts, child);
    }
  }
}

/** What messages and tools were measured to; requests of one conversation share them as objects. */
export type TokenCache = WeakMap<object, Readonly<TokenParts>>;

/**
 * The input of a request in tokens, estimated without a tokenizer: linear in the request and never throwing. What a
 * model's own figures have taught is put on top by `createCalibration`.
 * @param measured what was measured before; takes in what is new
 */
export function measureTokens(request: MessagesRequest, measured: TokenCache = new WeakMap()): Readonly<TokenParts> {
  const tools = Array.isArray(request['tools']) ? request['tools'] : [];
  const parts = { ideographs: 0, rest: (request.messages.length + tools.length) * PER_MESSAGE };
  addContent(parts, request['system']);
  for (const tool of tools) addOnce(parts, tool, addValue, measured);
  for (const message of request.messages) addOnce(parts, message, addMessage, measured);
  return parts;
}

/** What the smallest tool or message takes, as the tokens that are measured in the same time. */
const ELEMENT_EFFORT = 200;

/** Does the work of `measureTokens` for the messages in advance, with a pause after each stretch of so many tokens. */
export function* measureInSteps(request: MessagesRequest, stretch: number, measured: TokenCache): Generator<void> {
  const parts = { ideographs: 0, rest: 0 };
  let count = 0;
  let paused = 0;
  const isDue = () => {
    count += 1;
    const done = parts.ideographs + parts.rest + count * ELEMENT_EFFORT;
    if (done - paused < stretch) return false;
    paused = done;
    return true;
  };
  for (const tool of Array.isArray(request['tools']) ? request['tools'] : []) {
    addOnce(parts, tool, addValue, measured);
    if (isDue()) yield;
  }
  for (const message of request.messages) {
    addOnce(parts, message, addMessage, measured);
    if (isDue()) yield;
  }
}

function addOnce<T>(
  parts: TokenParts,
  value: T,
  add: (parts: TokenParts, value: T) => void,
  measured: TokenCache,
): void {
  if (typeof value !== 'object' || value === null) {
    add(parts, value);
    return;
  }
  let own = measured.get(value);
  if (own === undefined) {
    const fresh = { ideographs: 0, rest: 0 };
    add(fresh, value);
    measured.set(value, fresh);
    own = fresh;
  }
  parts.ideographs += own.ideographs;
  parts.rest += own.rest;
}

function addMessage(parts: TokenParts, message: RequestMessage): void {
  addContent(parts, message.content);
}

/** The same as one number, at least 1, for a model that nothing is known of. */
export function estimateTokens(request: MessagesRequest): number {
  const { ideographs, rest } = measureTokens(request);
  return Math.max(1, Math.ceil(ideographs + rest));
}
