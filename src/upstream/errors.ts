import { ApiError, tlsHint } from '../core/errors.ts';
import type { ErrorCode } from '../core/errorTable.ts';
import { parseObject } from '../core/json.ts';
import { readErrorBody, type UpstreamErrorBody } from '../protocol/openai/errors.ts';
import type { RefusalClass } from '../providers/wordings/refusalWordings.ts';
import {
  classifyRefusal,
  isOutputExhausted,
  type Overflow,
  readBlockPage,
  readOutputLimit,
  readOverflow,
  readRetryAfter,
} from './errorDetails.ts';
import type { ResponseHeaders } from './upstream.ts';

/** Classes of features that Claude Code drops by itself when a 400 names them. */
const CAPABILITIES = {
  image: 'image_block',
  document: 'document_block',
  structured_output: 'structured_outputs_unsupported',
} as const satisfies Partial<Record<RefusalClass, string>>;

/** Anthropic's error types (platform.claude.com/docs/en/api/errors), with the row of our own table that stands for each. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  invalid_request_error: 'upstream_invalid_request',
  authentication_error: 'upstream_unauthenticated',
  billing_error: 'billing',
  permission_error: 'upstream_forbidden',
  not_found_error: 'unknown_model',
  request_too_large: 'request_too_large',
  rate_limit_error: 'rate_limited',
  timeout_error: 'upstream_timeout',
  api_error: 'provider_failed',
  overloaded_error: 'overloaded',
};

/** What the provider itself says about repeating. */
function readShouldRetry(headers: ResponseHeaders): boolean | undefined {
  const value = headers['x-should-retry'];
  return value === 'true' || value === 'false' ? value === 'true' : undefined;
}

/**
 * An error of a native endpoint in Anthropic's own form: the client reads the text and adapts its next request by it, so it stays as
 * it is, with its status and type. A rejected key is the one exception: whose key it was is added to the text.
 * Undefined for any other form.
 * @param status of the answer; undefined for an error inside a stream
 */
export function keepNativeError(
  type: string | undefined,
  text: string,
  status: number | undefined,
  context: FailureContext,
  headers: ResponseHeaders,
): ApiError | undefined {
  const code = Object.hasOwn(CODES, type ?? '') ? CODES[type ?? ''] : undefined;
  if (code === undefined) return undefined;
  const retryAfterSeconds = readRetryAfter(headers, text, context.now);
  const shouldRetry = readShouldRetry(headers);
  const words = code === 'upstream_unauthenticated' ? `${text} (the provider rejected ${context.keyName})` : text;
  return new ApiError(code, words, {
    ...(status === undefined || status < 400 ? {} : { status }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
  });
}

/** What must be known to put a provider's failure into words that help the user. */
export interface FailureContext {
  /** Name of the instance's provider, put before its words. */
  readonly provider: string;
  /** How the key is called in messages: `OPENAI_API_KEY`, or `the client's key`. */
  readonly keyName: string;
  readonly model: string;
  /** Estimated tokens of the conversation, for an overflow without numbers. */
  readonly inputEstimate: number;
  readonly contextWindow: number | undefined;
  /** Output limit that was sent, in tokens, where it is known. */
  readonly maxTokens?: number | undefined;
  readonly errorCodes: Readonly<Record<string, ErrorCode>>;
  /** Whether the provider speaks the Messages API itself: errors in Anthropic's own form then keep status, type and words. */
  readonly native?: boolean;
  /** Whether the Responses API was asked, which not every server knows. */
  readonly responses?: boolean;
  /** Whether the client reads the provider's errors itself: then status and body stay as they came, whatever they mean here. */
  readonly relayed?: boolean;
  readonly redact: (text: string) => string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const RATE =
  /rate[_ ]?limit|slow[_ ]down|too many requests|tokens per (?:min|day)|\btp[md]\b|\brp[md]\b|overloaded|concurrency|resource_exhausted/i;
const PER_MINUTE = /tokens per (?:min|day)|\btp[md]\b/i;
/** A conflict, a lock, a failed generation and used-up capacity pass like an overload: the same request may be answered later. */
const OVERLOAD_STATUSES = new Set([408, 409, 423, 424, 425, 498, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);
/** Statuses under which a provider may say that a conversation is too long. */
const OVERFLOW_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 400, 413, 422, 500, 502, 503]);
/** Statuses under which a refusal of the request is looked at by its words. */
const REFUSAL_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 400, 404, 415, 422, 500, 501]);
/** Statuses under which a provider may say that it does not serve the model. */
const MODEL_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 400, 403, 404, 410, 422, 501]);

/** Tokens as a number of the message, where all that it needs is known and makes sense. */
function overflowError({ kind, prompt, output, limit }: Partial<Overflow>, context: FailureContext): ApiError {
  if (kind === 'output' && prompt !== undefined && output !== undefined && limit !== undefined)
    return sumError(prompt, output, limit);
  const [actual, most] = [prompt ?? context.inputEstimate, limit ?? context.contextWindow];
  const isKnown = most !== undefined && actual > most;
  const message = isKnown ? `prompt is too long: ${actual} tokens > ${most} maximum` : 'prompt is too long';
  return new ApiError('context_overflow', message);
}

/** The client lowers its output limit to what these numbers leave. */
function sumError(prompt: number, output: number, limit: number, cause?: string): ApiError {
  return new ApiError(
    'max_tokens_overflow',
    `input length and \`max_tokens\` exceed context limit: ${prompt} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`,
    cause === undefined ? {} : { cause },
  );
}

/** What an error says about the length of the conversation or of the output; undefined when it is about something else. */
function failureOfLength(
  body: UpstreamErrorBody,
  status: number | undefined,
  text: string,
  context: FailureContext,
): ApiError | undefined {
  if (!REFUSAL_STATUSES.has(status)) return undefined;
  if (isOutputExhausted(body.message)) return new ApiError('output_exhausted', text, { cause: body.message });
  const outputLimit = readOutputLimit(body.message);
  const output = outputLimit?.output ?? context.maxTokens;
  if (outputLimit === undefined || output === undefined) return undefined;
  // Put as a sum, because the client lowers its limit at that alone.
  return sumError(context.inputEstimate, output, context.inputEstimate + outputLimit.most, body.message);
}

/** What the provider's own name for an error means, where its preset says so. */
function codeNamed(name: string | undefined, { errorCodes }: FailureContext): ErrorCode | undefined {
  return name !== undefined && Object.hasOwn(errorCodes, name) ? errorCodes[name] : undefined;
}

/** Its numbers begin with a digit, and what stands between them holds none, so that each letter is looked at a few times only. */
const LIMIT_AND_REQUESTED =
  /limit:?\s*(\d[\d,]{0,14})\D{1,200}(?:used:?\s*\d[\d,]{0,14}\D{1,200})?requested:?\s*(\d[\d,]{0,14})/i;

/** A limit per minute that the request alone exceeds can never be kept. */
function neverFits(text: string): { limit: number; requested: number } | undefined {
  const match = LIMIT_AND_REQUESTED.exec(text);
  if (match === null) return undefined;
  const [limit, requested] = [match[1], match[2]].map((digits) => Number((digits ?? '').replaceAll(',', '')));
  return limit !== undefined && requested !== undefined && requested > limit ? { limit, requested } : undefined;
}

function rateLimited(prefix: string, text: string, headers: ResponseHeaders, now: number, raw: string): ApiError {
  const impossible = PER_MINUTE.test(text) ? neverFits(text) : undefined;
  if (impossible !== undefined) {
    return new ApiError(
      'never_fits_rate_limit',
      `${prefix}${text} (the request needs ${impossible.requested} tokens and the limit is ${impossible.limit} a minute: set QUIRK_MAX_OUTPUT lower)`,
    );
  }
  const retryAfterSeconds = readRetryAfter(headers, text, now, raw);
  return new ApiError('rate_limited', prefix + text, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'upstream_unauthenticated';
  if (status === 402) return 'billing';
  if (status === 403) return 'upstream_forbidden';
  if (status === 404) return 'bad_gateway';
  if (status === 413) return 'request_too_large';
  if (status === 429) return 'rate_limited';
  if (status === 501) return 'not_supported';
  if (OVERLOAD_STATUSES.has(status)) return 'overloaded';
  return status >= 500 ? 'internal' : 'upstream_invalid_request';
}

function messageFor(code: ErrorCode, prefix: string, text: string, context: FailureContext): string {
  if (code === 'upstream_unauthenticated') return `${prefix}the provider rejected ${context.keyName}: ${text}`;
  if (code === 'unknown_model') return `${prefix}the provider does not know the model ${context.model}: ${text}`;
  if (code === 'bad_gateway') {
    const api = context.native === true ? 'Messages API' : 'chat completions API';
    return `${prefix}no ${api} at this address, check OPENAI_BASE_URL: ${text}`;
  }
  if (code === 'unknown_endpoint')
    return `${prefix}this server does not know the Responses API, set PROTOCOL=chat: ${text}`;
  return prefix + text;
}

/**
 * An error body of the provider, found at any status or inside a stream, as the error to answer.
 * @param status the HTTP status, or what the body itself names; undefined when neither says
 * @param raw the whole body, in which some servers put the numbers of an overflow
 */
export function failureOfBody(
  body: UpstreamErrorBody,
  status: number | undefined,
  context: FailureContext,
  headers: ResponseHeaders = {},
  raw: string = body.message,
): ApiError {
  const text = context.redact(body.message) || 'no reason given';
  const known = status ?? body.status;
  const prefix = known === undefined ? `[${context.provider}] ` : `[${context.provider} ${known}] `;
  const words = [body.code, body.type, text].filter((word) => word !== undefined).join(' ');
  const about = body.param === undefined ? {} : { param: body.param };
  const errorOf = (code: ErrorCode) => new ApiError(code, messageFor(code, prefix, text, context), about);

  const names = [body.code, body.type, /\((\d{4})\)\s*$/.exec(text)?.[1], body.param];
  const named = names.map((name) => codeNamed(name, context)).find((code) => code !== undefined);
  const filtered = () =>
    new ApiError('upstream_invalid_request', `${prefix}${text} (${FILTERED})`, { shouldRetry: false });
  if (named === 'upstream_invalid_request' && classifyRefusal(text, names) === 'filter') return filtered();
  if (named === 'rate_limited') return rateLimited(prefix, text, headers, context.now, raw);
  if (named === 'context_overflow') return overflowError(readOverflow(text, NAMED_OVERFLOW, raw) ?? {}, context);
  if (named !== undefined) return errorOf(named);

  const overflow = OVERFLOW_STATUSES.has(known) ? readOverflow(body.message, names, raw) : undefined;
  if (overflow !== undefined) return overflowError(overflow, context);
  const refusal = known === 401 ? undefined : classifyRefusal(text, names);
  if (refusal === 'plan_window') return errorOf('billing');
  if (refusal === 'image' && REFUSAL_STATUSES.has(known)) return capabilityRejected('image', text);
  const kept = context.native === true ? keepNativeError(body.type, text, known, context, headers) : undefined;
  if (kept !== undefined) return kept;

  const length = failureOfLength(body, known, prefix + text, context);
  if (length !== undefined) return length;
  if (refusal === 'broken_tool_call') return errorOf('broken_tool_call');
  if (REFUSAL_STATUSES.has(known)) {
    if (refusal === 'reasoning') return new ApiError('reasoning_refused', prefix + text, { ...about, cause: text });
    if (refusal === 'filter') return filtered();
    if (refusal === 'content') return new ApiError('upstream_invalid_request', prefix + text, { shouldRetry: false });
  }
  if (refusal === 'billing' && !isOnlyAdvice(known, names)) return errorOf('billing');
  if (known === 429 || ((known === 403 || known === 400 || known === 413) && RATE.test(words)))
    return rateLimited(prefix, text, headers, context.now, raw);
  if (MODEL_STATUSES.has(known)) {
    if (refusal === 'unknown_model') return errorOf('unknown_model');
    if (refusal === 'unserved_model')
      return new ApiError('unknown_model', `${prefix}the provider cannot serve the model ${context.model}: ${text}`);
  }
  if (context.responses === true && (known === 404 || known === 405)) return errorOf('unknown_endpoint');
  if (known === undefined) {
    if (RATE.test(words) && !/overloaded/i.test(words)) return rateLimited(prefix, text, headers, context.now, raw);
    const typed = context.responses === true ? CODES[body.type ?? ''] : undefined;
    return errorOf(typed ?? 'overloaded');
  }
  if (known === 400 || known === 422) {
    if (refusal === 'effort') return new ApiError('effort_refused', prefix + text, { ...about, cause: text });
    if (refusal === 'document' || refusal === 'structured_output') return capabilityRejected(refusal, text);
  }
  return errorOf(codeOfStatus(known));
}

/**
 * At these words Claude Code asks once. At others it repeats the request with one feature less each time, the search for tools among
 * them, and a filter that then lets it pass has cost the session that search (seen with 2.1.328 on 2026-11-30).
 */
const FILTERED = 'Output blocked by content filtering policy';

/** For a text that a preset has recognised by a code of its own. */
const NAMED_OVERFLOW = ['context_length_exceeded'];

function capabilityRejected(refusal: keyof typeof CAPABILITIES, text: string): ApiError {
  return new ApiError('capability_rejected', `capability_rejected: ${CAPABILITIES[refusal]}`, { cause: text });
}

/** Under a 429 or 5xx, words about paying may only be advice beside a limit that passes; a name says what it means. */
function isOnlyAdvice(status: number | undefined, names: readonly (string | undefined)[]): boolean {
  const isPassing = status === 429 || (status !== undefined && status >= 500);
  return isPassing && classifyRefusal('', names) !== 'billing';
}

/** An answer with a status other than 2xx. */
export function failureOfResponse(
  status: number,
  headers: ResponseHeaders,
  body: string,
  context: FailureContext,
): ApiError {
  if (status >= 300 && status < 400) {
    const target = String(headers['location'] ?? 'nowhere').slice(0, 200);
    return new ApiError(
      'bad_gateway',
      `[${context.provider} ${status}] the address redirects to ${context.redact(target)}; redirects are not followed, put the final address into OPENAI_BASE_URL`,
      { shouldRetry: false },
    );
  }
  const owner = readBlockPage(status, headers, body);
  if (owner !== undefined) {
    const title = context.redact(readErrorBody(body).message);
    return new ApiError(
      'blocked',
      `[${context.provider} ${status}] a page of ${owner} answered in place of the provider: ${title}; it turns away this machine or network, not the key`,
    );
  }
  const error = failureOfBody(readErrorBody(body), status, context, headers, body);
  return context.relayed === true ? relayedError(error, status, context.redact(body)) : error;
}

/** The same error with the status and, if it is JSON, the body that came. */
function relayedError({ code, message, ...details }: ApiError, status: number, body: string): ApiError {
  const { retryAfterSeconds, shouldRetry, cause } = details;
  return new ApiError(code, message, {
    status,
    cause,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
    ...(parseObject(body) === undefined ? {} : { body }),
  });
}

/** Waiting longer than this before a repetition is left to the client. */
const LONGEST_RETRY_AFTER_SECONDS = 5;

/** Whether the proxy may repeat the request by itself, as long as nothing was sent to the client. */
export function isRetryable(error: ApiError): boolean {
  if (error.shouldRetry === false) return false;
  if (error.code === 'overloaded' || error.code === 'provider_failed') return true;
  return (
    error.code === 'rate_limited' &&
    error.retryAfterSeconds !== undefined &&
    error.retryAfterSeconds <= LONGEST_RETRY_AFTER_SECONDS
  );
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  // An answer that is not HTTP has a name in place of a code.
  return error instanceof Error ? error.name : '';
}

/**
 * A request that got no answer.
 * @param elapsedMs how long the attempt took
 */
export function failureOfTransport(error: unknown, elapsedMs: number, context: FailureContext): ApiError {
  const code = codeOf(error);
  const prefix = `[${context.provider}] `;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return failureToBegin(elapsedMs, 'REQUEST_TIMEOUT', context);
  const hint = tlsHint(code);
  if (hint !== undefined) {
    return new ApiError('bad_gateway', `${prefix}TLS failed (${code}): ${hint}`, { shouldRetry: false });
  }
  if (code === 'HTTPParserError' || code.startsWith('HPE_')) {
    return new ApiError('bad_gateway', `${prefix}the server does not answer in HTTP: check OPENAI_BASE_URL`);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new ApiError('bad_gateway', `${prefix}the headers of the answer are too large: check OPENAI_BASE_URL`);
  }
  const words = context.redact(error instanceof Error ? error.message : String(error)).slice(0, 200);
  return new ApiError('overloaded', `${prefix}connection failed (${code || 'unknown'}): ${words}`);
}

/** After this long the client shall not repeat a request that timed out, in ms. */
const REPEATABLE_MS = 60_000;

/**
 * An answer that did not begin in time.
 * @param setting the name of the limit that was reached
 */
export function failureToBegin(elapsedMs: number, setting: string, context: FailureContext): ApiError {
  return new ApiError(
    'upstream_timeout',
    `[${context.provider}] no answer within ${Math.round(elapsedMs / 1000)} s (${setting})`,
    elapsedMs > REPEATABLE_MS ? { shouldRetry: false } : {},
  );
}

/** An answer that had begun and then said nothing for so long. */
export function failureToGoOn(silentMs: number, context: FailureContext): ApiError {
  return new ApiError('overloaded', `[${context.provider}] the answer stopped for ${Math.round(silentMs / 1000)} s`);
}

/** An answer whose head came, and whose body broke off or cannot be decoded. */
export function failureToComplete(error: Error, context: FailureContext): ApiError {
  const words = context.redact(error.message).slice(0, 200);
  return new ApiError('overloaded', `[${context.provider}] the answer broke off (${codeOf(error)}): ${words}`);
}
