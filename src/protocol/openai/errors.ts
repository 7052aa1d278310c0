import type { ApiError } from '../../core/errors.ts';
import { asNumber, asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { parseBounded } from '../bounds.ts';

const MESSAGE_LIMIT = 500;

/** Letters of a page among which its title is looked for. */
const HEAD_LIMIT = 8192;

/** What a provider says about a failure, whatever form it chose. */
export interface UpstreamErrorBody {
  /** Most specific text that was found, at most 500 characters; empty when there is none. */
  readonly message: string;
  /** The provider's own code, numbers as text: `insufficient_quota`, `1113`. */
  readonly code?: string;
  readonly type?: string;
  /** The part of the request that is meant, as the provider calls it: `reasoning.summary`, `input[3].phase`. */
  readonly param?: string;
  /** HTTP status that the body itself names, for errors that come with a 200 or inside a stream. */
  readonly status?: number;
}

/** Reads an error body: JSON in any provider's form, an array around it, plain text or an HTML page. */
export function readErrorBody(body: unknown): UpstreamErrorBody {
  if (typeof body === 'string') return readText(body);
  if (Array.isArray(body)) return readErrorBody(body[0]);
  return isObject(body) ? readObject(body) : { message: '' };
}

/** Whether a value says anything: servers that fill in every field write `{}`, `{"message":"","code":0}` or `[]` for "no error". */
function isTelling(value: Json | undefined): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(isTelling);
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 0;
}

/**
 * Whether an answer with status 200 is an error in truth: `error`, a failed `base_resp`, or `object: "error"`.
 */
export function isErrorBody(body: JsonObject): boolean {
  const error = body['error'];
  if (error !== undefined && isTelling(error)) return true;
  const base = body['base_resp'];
  if (isObject(base) && Number(base['status_code'] ?? 0) !== 0) return true;
  return body['object'] === 'error' || body['type'] === 'error';
}

/** What an error means that comes inside a stream and so without a status, by its code or type. */
const STATUSES: Readonly<Record<string, number>> = {
  context_length_exceeded: 400,
  invalid_prompt: 400,
  cyber_policy: 400,
  bio_policy: 400,
  misalignment_policy_violation: 400,
  empty_image_file: 400,
  failed_to_download_image: 400,
  unsupported_image_media_type: 400,
  invalid_request_error: 400,
  invalid_api_key: 401,
  authentication_error: 401,
  insufficient_quota: 402,
  credit_balance_exhausted: 402,
  organization_spend_limit_exceeded: 402,
  project_spend_limit_exceeded: 402,
  organization_usage_limit_exceeded: 402,
  model_not_found: 404,
  rate_limit_exceeded: 429,
  slow_down: 429,
};

function statusOf(name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  if (name.startsWith('image_') || name.startsWith('invalid_image')) return 400;
  return Object.hasOwn(STATUSES, name) ? STATUSES[name] : undefined;
}

/** The same error with the status that its code stands for, where it names none itself. */
export function withStatus(error: UpstreamErrorBody): UpstreamErrorBody {
  // What every error event is called says nothing about this one.
  const { type, ...rest } = error;
  const named: UpstreamErrorBody = type === 'error' ? rest : error;
  const status = error.status ?? statusOf(error.code) ?? statusOf(named.type);
  return status === undefined ? named : { ...named, status };
}

function readText(text: string): UpstreamErrorBody {
  const trimmed = text.trim();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    try {
      return readErrorBody(parseBounded(trimmed));
    } catch {
      return { message: cut(trimmed) };
    }
  }
  if (!trimmed.startsWith('<')) return { message: cut(trimmed) };
  return { message: cut(titleOf(trimmed).replace(/\s+/g, ' ').trim() || 'an HTML page') };
}

/** The title of a page; it stands near the beginning. */
function titleOf(page: string): string {
  const head = page.slice(0, HEAD_LIMIT);
  const start = head.search(/<title\b/i);
  const from = start < 0 ? -1 : head.indexOf('>', start);
  const to = from < 0 ? -1 : head.indexOf('<', from);
  return to < 0 ? '' : head.slice(from + 1, to);
}

function readObject(body: JsonObject): UpstreamErrorBody {
  const error = body['error'];
  const inner = isObject(error) ? error : firstError(body['errors']);
  const base = isObject(body['base_resp']) ? body['base_resp'] : {};
  const layers: JsonObject[] = inner === undefined ? [body] : [inner, body];

  const message =
    (inner && rawMessage(inner)) ||
    (inner && ownMessage(inner)) ||
    asString(error) ||
    ownMessage(body) ||
    asString(base['status_msg']) ||
    '';
  const baseCode = Number(base['status_code'] ?? 0) === 0 ? undefined : readCode(base['status_code']);
  const code = firstOf(layers, (layer) => readCode(layer['code'])) ?? baseCode;
  const type = firstOf(layers, (layer) => readWord(layer['type']) ?? readWord(layer['status']));
  const param = firstOf(layers, (layer) => readWord(layer['param']));
  const status = firstOf(layers, readStatus);
  const nested = nestedError(message);
  return {
    message: cut(message),
    ...(code === undefined ? {} : { code }),
    ...(type === undefined ? {} : { type }),
    ...(param === undefined ? {} : { param }),
    ...(status === undefined ? {} : { status }),
    ...nested,
  };
}

/** What a server says whose own message is another's whole error body, as text; that one is the more exact in all that it names. */
function nestedError(message: string): UpstreamErrorBody | undefined {
  if (!message.trimStart().startsWith('{')) return undefined;
  const nested = readText(message);
  return nested.message === '' || nested.message === cut(message.trim()) ? undefined : nested;
}

function firstError(errors: Json | undefined): JsonObject | undefined {
  const first = Array.isArray(errors) ? errors[0] : undefined;
  if (typeof first === 'string') return { message: first };
  return isObject(first) ? first : undefined;
}

/**
 * An aggregator's message is its own ("Provider returned error"); what the provider behind it said is in metadata.raw.
 */
function rawMessage(error: JsonObject): string | undefined {
  const metadata = error['metadata'];
  const raw = isObject(metadata) ? metadata['raw'] : undefined;
  if (isObject(raw)) return readObject(raw).message;
  if (typeof raw !== 'string') return undefined;
  return readText(raw).message || raw;
}

function ownMessage(layer: JsonObject): string | undefined {
  const { message, detail, msg } = layer;
  if (isObject(message)) return ownMessage(message);
  return asString(message) || detailText(detail) || asString(msg);
}

function detailText(detail: Json | undefined): string | undefined {
  if (isObject(detail)) return ownMessage(detail) ?? JSON.stringify(detail);
  if (!Array.isArray(detail)) return asString(detail);
  return detail
    .map((item) => (isObject(item) ? ownMessage(item) : asString(item)))
    .filter((text) => text)
    .join('; ');
}

function readCode(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : readWord(value);
}

function readWord(value: unknown): string | undefined {
  return asString(value) || undefined;
}

function readStatus(layer: JsonObject): number | undefined {
  for (const key of ['status', 'http_code', 'status_code', 'code']) {
    const value = layer[key];
    const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : asNumber(value);
    if (status !== undefined && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

function firstOf<T>(layers: JsonObject[], read: (layer: JsonObject) => T | undefined): T | undefined {
  for (const layer of layers) {
    const value = read(layer);
    if (value !== undefined) return value;
  }
  return undefined;
}

function cut(text: string): string {
  return text.slice(0, MESSAGE_LIMIT).toWellFormed();
}

/** An error in the form that clients of chat completions read: the provider's own body, where there is one. */
export function chatErrorBody(error: ApiError): string {
  if (error.body !== undefined) return error.body;
  return JSON.stringify({ error: { message: error.message, type: error.type, code: error.code, param: null } });
}

/** The same as the last event of a stream that cannot be completed. */
export function chatErrorEvent(error: ApiError): string {
  return `data: ${chatErrorBody(error)}\n\n`;
}
