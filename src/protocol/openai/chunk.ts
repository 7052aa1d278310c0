import { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Delta, ToolCallDelta } from '../delta.ts';
import { isErrorBody, readErrorBody, type UpstreamErrorBody } from './errors.ts';
import { readUsage } from './tokenUsage.ts';

/** The text of a string, a `{text}` object, or a list of such; '' for anything else. */
export function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(readText).join('');
  return isObject(value) ? readText(value['text'] ?? value['content'] ?? value['summary']) : '';
}

/**
 * Reasoning of a delta or message: the first field that has any, never two added up, as some send the same text twice.
 */
export function readReasoning(body: JsonObject): string {
  return (
    readText(body['reasoning_content']) ||
    readText(body['reasoning']) ||
    readText(body['reasoning_details']) ||
    readText(body['thinking'])
  );
}

/**
 * Reads chat completion chunks, and whole completions, into deltas. Reads little and loosely: every field may be
 * missing or null, and what is not understood is passed over. In one chunk the order is reasoning, text, calls, usage,
 * finish.
 */
export class ChunkReader {
  readonly #emit: (delta: Delta) => void;
  readonly #toApiError: (error: UpstreamErrorBody) => ApiError;
  #streamed = false;
  #refused = false;
  /** Index of the choice that is read, of the first one with words, and of the first one with calls. */
  #choice = 0;
  #speaker: number | undefined;
  #caller: number | undefined;

  constructor(emit: (delta: Delta) => void, toApiError: (error: UpstreamErrorBody) => ApiError) {
    this.#emit = emit;
    this.#toApiError = toApiError;
  }

  read(chunk: JsonObject): void {
    const given = chunk['choices'];
    const choices = Array.isArray(given) ? given : [given];
    const [first] = choices;
    const failed = isErrorBody(chunk) ? chunk : isObject(first) && isErrorBody(first) ? first : undefined;
    if (failed !== undefined) {
      this.#emit({ kind: 'error', error: this.#toApiError(readErrorBody(failed)) });
      return;
    }
    const isWhole = chunk['object'] === 'chat.completion';
    const wasStreamed = this.#streamed;
    for (const [position, choice] of choices.entries()) {
      if (isObject(choice)) this.#readChoice(choice, asNumber(choice['index']) ?? position, isWhole, wasStreamed);
    }
    const usage = readUsage(chunk['usage'] ?? (isObject(first) ? first['usage'] : undefined));
    if (usage !== undefined) this.#emit({ kind: 'usage', usage });
    if (isObject(first)) this.#readFinish(first);
  }

  /**
   * A completion that came as one JSON body; without choices it is an error in spite of its status 200.
   */
  readWhole(body: JsonObject): void {
    const choices = body['choices'];
    if (isErrorBody(body) || (Array.isArray(choices) && isObject(choices[0]))) {
      this.read(body);
      return;
    }
    const said = readErrorBody(body);
    const error =
      said.message === ''
        ? new ApiError('bad_gateway', 'the provider answered with neither choices nor an error')
        : this.#toApiError(said);
    this.#emit({ kind: 'error', error });
  }

  /**
   * Nobody asks for several answers: where there is more than one choice they are parts of one answer, text in the one and calls in
   * the other. Each kind is taken from the choice that had it first, in case that they are several answers after all.
   */
  #readChoice(choice: JsonObject, index: number, isWhole: boolean, wasStreamed: boolean): void {
    const { delta, message } = choice;
    // Some put an empty delta beside the whole message.
    const prefersMessage = isObject(message) && (isWhole || !isObject(delta) || !saysAnything(delta));
    const body = prefersMessage ? message : delta;
    const whole = prefersMessage || isWhole;
    // A last frame that repeats the whole answer brings usage and finish, but no new words.
    if (!isObject(body) || (whole && wasStreamed)) return;
    this.#choice = index;
    if ((this.#speaker ?? index) === index) this.#readWords(body);
    if ((this.#caller ?? index) === index) {
      this.#readCalls(body['tool_calls'], whole);
      const legacy = body['function_call'];
      if (isObject(legacy)) this.#call({ function: legacy }, 0);
    }
  }

  #readWords(body: JsonObject): void {
    const thinking = readReasoning(body);
    if (thinking !== '') this.#thinking(thinking);
    const details = body['reasoning_details'];
    if (Array.isArray(details) && details.length > 0) {
      this.#emit({ kind: 'reasoningState', state: JSON.stringify(details) });
    }
    const content = body['content'];
    if (typeof content === 'string') this.#text(content);
    else if (Array.isArray(content)) this.#readParts(content);
    else if (isObject(content)) this.#text(contentText(content));
    const refusal = readText(body['refusal']);
    if (refusal !== '') {
      this.#refused = true;
      this.#text(refusal);
    }
  }

  #readParts(parts: readonly Json[]): void {
    if (parts.length > 0 && parts.every((part) => isObject(part) && !isPart(part))) {
      this.#text(JSON.stringify(parts));
      return;
    }
    for (const part of parts) {
      const type = isObject(part) ? part['type'] : undefined;
      if (!isObject(part)) {
        this.#text(readText(part));
      } else if (type === 'thinking' || type === 'reasoning') {
        const text = readText(part['thinking'] ?? part['reasoning'] ?? part);
        if (text !== '') this.#thinking(text);
      } else if (type === 'refusal') {
        this.#refused = true;
        this.#text(readText(part['refusal']));
      } else if (type === 'tool_calls') {
        this.#readCalls(part['tool_calls'], true);
      } else {
        this.#text(readText(part));
      }
    }
  }

  #readCalls(calls: Json | undefined, whole: boolean): void {
    if (isObject(calls)) {
      this.#call(calls, asNumber(calls['index']));
    } else if (Array.isArray(calls)) {
      for (const [position, call] of calls.entries()) {
        // In a whole list the position is the identity; a chunk's position says nothing.
        if (isObject(call)) this.#call(call, whole ? position : asNumber(call['index']));
      }
    }
  }

  #call(call: JsonObject, index: number | undefined): void {
    const called = isObject(call['function']) ? call['function'] : call;
    const id = asString(call['id']);
    const name = asString(called['name'])?.trim();
    const { arguments: given } = called;
    const extra = call['extra_content'];
    const delta: { -readonly [K in keyof ToolCallDelta]: ToolCallDelta[K] } = {
      kind: 'toolCall',
      // JSON text; some servers send the object itself.
      arguments: isObject(given) ? JSON.stringify(given) : (asString(given) ?? ''),
    };
    if (index !== undefined) delta.index = index;
    if (id) delta.id = id;
    if (name) delta.name = name;
    if (isObject(extra)) delta.extra = { extra_content: extra };
    // Some fill in an empty call where there is none.
    if (!id && !name && delta.arguments === '' && delta.extra === undefined) return;
    this.#streamed = true;
    this.#caller ??= this.#choice;
    this.#emit(delta);
  }

  #thinking(text: string): void {
    this.#streamed = true;
    this.#speaker ??= this.#choice;
    this.#emit({ kind: 'thinking', text });
  }

  #text(text: string): void {
    if (text === '') return;
    this.#streamed = true;
    this.#speaker ??= this.#choice;
    this.#emit({ kind: 'text', text });
  }

  #readFinish(choice: JsonObject): void {
    const reason = choice['finish_reason'];
    // Some servers write "" into every chunk: only a word ends the answer.
    if (typeof reason !== 'string' || reason === '') return;
    const stopSequence = reason === 'stop' ? asString(choice['stop_reason']) : undefined;
    const refused = this.#refused && reason === 'stop';
    this.#emit({
      kind: 'finish',
      reason: refused ? 'content_filter' : reason,
      ...(stopSequence ? { stopSequence } : {}),
    });
  }
}

/** Members of a content part in any provider's form. An object with others is the answer itself, which was asked for as JSON. */
const PART_MEMBERS: ReadonlySet<string> = new Set(['type', 'text', 'content', 'annotations', 'index']);

function isPart(content: JsonObject): boolean {
  return typeof content['type'] === 'string' || Object.keys(content).every((key) => PART_MEMBERS.has(key));
}

function contentText(content: JsonObject): string {
  return isPart(content) ? readText(content) : JSON.stringify(content);
}

/** Whether a delta is more than a placeholder. */
function saysAnything(delta: JsonObject): boolean {
  const { content, tool_calls: calls, function_call: legacy } = delta;
  return (
    readText(content) !== '' ||
    readReasoning(delta) !== '' ||
    readText(delta['refusal']) !== '' ||
    (Array.isArray(calls) ? calls.length > 0 : isObject(calls)) ||
    (isObject(legacy) && Object.keys(legacy).length > 0)
  );
}
