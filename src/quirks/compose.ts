import { isObject, type Json, type JsonObject } from '../core/json.ts';
import { type Delta, MISSING_REASONING } from '../protocol/delta.ts';
import type { ChatMessage, OpenaiRequest, ResponseItem } from '../protocol/openai/types.ts';
import { FRAME_LIMIT } from '../protocol/sse.ts';
import {
  describeToolReferences,
  dropCacheControl,
  dropUnusedEffort,
  dropUnverifiableThinking,
  foldSystemMessages,
  requireThinking,
  turnOffThinkingBetweenTools,
} from './native.ts';
import { toOpenaiSchema } from './schema/common.ts';
import { toMfjsSchema } from './schema/mfjs.ts';
import { toOpenapiSchema } from './schema/openapi.ts';
import type { QuirkSettings } from './settings.ts';

/** Named repairs of a provider, composed into one sequence from its settings (decision 0003). */
export interface Repairs {
  /** Brings a tool's schema into the provider's dialect. Never changes its argument. */
  readonly toolSchema: (schema: JsonObject) => JsonObject;
  /** The last word on a translated request. Never changes its argument. */
  readonly request: (body: OpenaiRequest) => OpenaiRequest;
  /**
   * The last word on the request to a native endpoint. Never changes its argument, and gives the same object when there is
   * nothing to repair.
   */
  readonly nativeRequest: (body: JsonObject) => JsonObject;
  /** One per answer, as it may hold state; gives the deltas that stand in for the one received. */
  readonly createDeltaRepair: (() => DeltaRepair) | undefined;
}

export type DeltaRepair = (delta: Delta) => readonly Delta[];

const schemaDialects = { openai: toOpenaiSchema, openapi: toOpenapiSchema, mfjs: toMfjsSchema };

/** The repairs that a provider's settings ask for, as one sequence each for schemas, requests and deltas. */
export function composeRepairs(settings: QuirkSettings): Repairs {
  const steps = requestSteps(settings);
  const nativeSteps = nativeRequestSteps(settings);
  return {
    toolSchema: schemaDialects[settings.schema],
    request: (body) => steps.reduce((repaired, step) => step(repaired), body),
    nativeRequest: (body) => nativeSteps.reduce((repaired, step) => step(repaired), body),
    createDeltaRepair: composeDeltaRepair(settings),
  };
}

type RequestStep = (body: OpenaiRequest) => OpenaiRequest;

/** What is merged comes after what is dropped, so that a user can put a field back. */
function requestSteps({ needsUser, dropParams: dropped, extraBody, streamBody }: QuirkSettings): RequestStep[] {
  const steps: RequestStep[] = [];
  if (needsUser) steps.push(ensureUser);
  if (dropped.length > 0) steps.push((body) => dropParams(body, dropped));
  if (extraBody !== undefined) steps.push((body) => mergeBody(body, extraBody));
  if (streamBody !== undefined) steps.push((body) => (body['stream'] === true ? mergeBody(body, streamBody) : body));
  return steps;
}

type NativeStep = (body: JsonObject) => JsonObject;

function nativeRequestSteps(settings: QuirkSettings): NativeStep[] {
  const { dropParams: dropped, reasoningRequired, extraBody } = settings;
  const steps: NativeStep[] = [];
  steps.push(settings.verifiesSignatures ? dropUnverifiableThinking : turnOffThinkingBetweenTools);
  if (settings.plainToolReferences) steps.push(describeToolReferences);
  if (settings.foldSystem) steps.push(foldSystemMessages);
  if (settings.effortNeedsThinking) steps.push(dropUnusedEffort);
  if (reasoningRequired !== 'no')
    steps.push((body) => requireThinking(body, reasoningRequired === 'empty' ? '' : MISSING_REASONING));
  if (settings.dropCacheControl) steps.push(dropCacheControl);
  if (dropped.length > 0) steps.push((body) => dropParams(body, dropped));
  if (extraBody !== undefined) steps.push((body) => mergeBody(body, extraBody));
  return steps;
}

/**
 * Takes the repeated beginning off reasoning that comes as snapshots, each with all that came before. A delta that does
 * not begin so is new text: the same provider has been seen to send both forms.
 */
function createCumulativeReasoning(): DeltaRepair {
  let received = '';
  return (delta) => {
    if (delta.kind !== 'thinking') return [delta];
    const text = delta.text.startsWith(received) ? delta.text.slice(received.length) : delta.text;
    // A snapshot cannot be longer than a frame, so that there is no more to compare with.
    if (received.length <= FRAME_LIMIT) received += text;
    return text === '' ? [] : [{ kind: 'thinking', text }];
  };
}

/**
 * The repairs of deltas that a provider's settings ask for, as one function per answer; undefined where none is asked for. What
 * needs more than one delta of one kind is not a repair but belongs to the state machine.
 */
export function composeDeltaRepair(settings: QuirkSettings): (() => DeltaRepair) | undefined {
  return settings.reasoningCumulative ? createCumulativeReasoning : undefined;
}

const REQUIRED: ReadonlySet<string> = new Set(['model', 'messages', 'input']);

/**
 * The request without fields that the provider refuses, `reasoning.summary` among them; the model and the messages always stay. The same
 * object when it has none of them.
 */
export function dropParams<Body extends JsonObject>(body: Body, names: readonly string[]): Body {
  return names.reduce((rest, name) => dropParam(rest, name.split('.')), body);
}

/** An object that has nothing else goes with its field. */
function dropParam<Body extends JsonObject>(body: Body, [name = '', ...inner]: readonly string[]): Body {
  if (REQUIRED.has(name) || !Object.hasOwn(body, name)) return body;
  const value = body[name];
  if (inner.length > 0) {
    const rest = isObject(value) ? dropParam(value, inner) : value;
    if (rest === value) return body;
    if (isObject(rest) && Object.keys(rest).length > 0) return { ...body, [name]: rest };
  }
  return Object.fromEntries(Object.entries(body).filter(([one]) => one !== name)) as Body;
}

const NO_CONTENT = '(no content)';

/** Gives a conversation without a user message one behind the system prompt, for servers that refuse it otherwise. */
function ensureUser(body: OpenaiRequest): OpenaiRequest {
  if ('input' in body) {
    const user: ResponseItem = { role: 'user', content: [{ type: 'input_text', text: NO_CONTENT }] };
    return { ...body, input: withUser<ResponseItem>(body.input as ResponseItem[], user) };
  }
  return { ...body, messages: withUser<ChatMessage>(body.messages, { role: 'user', content: NO_CONTENT }) };
}

function withUser<Entry extends ChatMessage | ResponseItem>(entries: Entry[], user: Entry): Entry[] {
  const roles = entries.map(({ role }) => role);
  if (roles.includes('user')) return entries;
  const start = roles.findIndex((role) => role !== 'system' && role !== 'developer');
  return entries.toSpliced(start < 0 ? entries.length : start, 0, user);
}

/** The request with the user's or preset's own fields laid over it: objects are merged, all else is replaced. */
function mergeBody<Body extends JsonObject>(body: Body, fields: JsonObject): Body {
  const kept = Object.entries(body).filter(([name]) => REQUIRED.has(name));
  return { ...mergeObjects(body, fields), ...Object.fromEntries(kept) } as Body;
}

function mergeObjects(base: JsonObject, over: JsonObject): JsonObject {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isObject(below) && isObject(value) ? mergeObjects(below, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}

const MASK = '****';

/** A value with all its texts masked. Numbers and switches are no credentials. */
export function maskTexts(value: Json): Json {
  if (typeof value === 'string') return MASK;
  if (Array.isArray(value)) return value.map(maskTexts);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskTexts(inner ?? null)]));
}

/** A request as it may be printed: the texts of fields that were merged into it are masked, as a user's own may be credentials. */
export function maskMerged(body: JsonObject, merged: JsonObject = {}): JsonObject {
  const masked = Object.entries(merged).flatMap(([name, value]) => {
    const there = body[name];
    if (there === undefined || REQUIRED.has(name)) return [];
    return [[name, isObject(there) && isObject(value) ? maskMerged(there, value) : maskTexts(there)]];
  });
  return { ...body, ...Object.fromEntries(masked) };
}
