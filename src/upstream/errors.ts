import { ApiError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errorTable.ts';
import { readErrorBody, type UpstreamErrorBody } from '../protocol/openai/errors.ts';
import { readOverflow, readRetryAfter } from './errorDetails.ts';
import type { ResponseHeaders } from './upstream.ts';

/**
 * Feature classes that Claude Code drops by itself when a 400 names them. Only those whose refusal cannot be
 * translated away here stand in the table; the first that fits is answered.
 */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/response_format|json_schema|structured output/i, 'structured_outputs_unsupported'],
  [/reasoning_effort|effort parameter|unsupported.{0,20}effort/i, 'effort_unsupported'],
  [
    /(?:image|vision)[^.]{0,60}(?:not support|unsupported|not allowed)|does not support (?:image|vision)/i,
    'image_block',
  ],
  [/(?:pdf|document|file)[^.]{0,60}(?:not support|unsupported|not allowed)/i, 'document_block'],
];

/** The class of feature that a provider's 400 refuses, or undefined. */
export function capabilityOf(text: string): string | undefined {
  return CLASSES.find(([words]) => words.test(text))?.[1];
}

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
  readonly errorCodes: Readonly<Record<string, ErrorCode>>;
  /** Whether the provider speaks the Messages API itself: errors in Anthropic's own form then keep status, type and words. */
  readonly native?: boolean;
  readonly redact: (text: string) => string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Names by which providers say that the balance is used up, at whatever status. */
const BILLING_NAME =
  /^(?:insufficient_(?:quota|balance|credits?|funds)|exceeded_current_quota(?:_error)?|billing_\w+)$/i;
/** Words that say the same; under a 429 or 5xx they may only be advice beside a passing limit. */
const BILLING_WORDS =
  /insufficient[_ ](?:quota|balance|credits?|funds)|exceeded[_ ](?:your[_ ])?current[_ ]quota|billing (?:hard limit|limit|cycle|period)|payment required|out of credits|arrears/i;
const RATE =
  /rate[_ ]?limit|too many requests|tokens per (?:min|day)|\btp[md]\b|\brp[md]\b|overloaded|concurrency|resource_exhausted/i;
const PER_MINUTE = /tokens per (?:min|day)|\btp[md]\b/i;
const UNKNOWN_MODEL =
  /model[^.]{0,60}(?:not found|not exist|does not exist|unknown|not supported|invalid)|(?:unknown|invalid|no such) model|model_not_found/i;
const OVERLOAD_STATUSES = new Set([408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);

function overflowError(prompt: number | undefined, limit: number | undefined): ApiError {
  const numbers = prompt !== undefined && limit !== undefined && prompt > limit;
  return new ApiError(
    'context_overflow',
    numbers ? `prompt is too long: ${prompt} tokens > ${limit} maximum` : 'prompt is too long',
  );
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

function rateLimited(prefix: string, text: string, headers: ResponseHeaders, now: number): ApiError {
  const impossible = PER_MINUTE.test(text) ? neverFits(text) : undefined;
  if (impossible !== undefined) {
    return new ApiError(
      'never_fits_rate_limit',
      `${prefix}${text} (the request needs ${impossible.requested} tokens and the limit is ${impossible.limit} a minute: set QUIRK_MAX_OUTPUT lower)`,
    );
  }
  const retryAfterSeconds = readRetryAfter(headers, text, now);
  return new ApiError('rate_limited', prefix + text, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

function codeOfStatus(status: number, text: string): ErrorCode {
  if (status === 401) return 'upstream_unauthenticated';
  if (status === 402) return 'billing';
  if (status === 403) return 'upstream_forbidden';
  if (status === 404) return UNKNOWN_MODEL.test(text) ? 'unknown_model' : 'bad_gateway';
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

  const names = [body.code, body.type, /\((\d{4})\)\s*$/.exec(text)?.[1]];
  const named = names.map((name) => codeNamed(name, context)).find((code) => code !== undefined);
  if (named === 'rate_limited') return rateLimited(prefix, text, headers, context.now);
  if (named === 'context_overflow') return overflowError(context.inputEstimate, context.contextWindow);
  if (named !== undefined) return new ApiError(named, messageFor(named, prefix, text, context));

  const mayOverflow = known === undefined || known === 400 || known === 413 || known === 422 || known === 500;
  const overflow = mayOverflow ? readOverflow(raw, [body.code, body.type]) : undefined;
  if (overflow?.kind === 'output' && overflow.prompt !== undefined && overflow.output !== undefined) {
    return new ApiError(
      'max_tokens_overflow',
      `input length and \`max_tokens\` exceed context limit: ${overflow.prompt} + ${overflow.output} > ${overflow.limit}, decrease input length or \`max_tokens\` and try again`,
    );
  }
  if (overflow !== undefined) {
    return overflowError(overflow.prompt ?? context.inputEstimate, overflow.limit ?? context.contextWindow);
  }
  const kept = context.native === true ? keepNativeError(body.type, text, known, context, headers) : undefined;
  if (kept !== undefined) return kept;
  const isPassing = known === 429 || (known !== undefined && known >= 500);
  const isBilling = names.some((name) => BILLING_NAME.test(name ?? '')) || (!isPassing && BILLING_WORDS.test(words));
  if (isBilling && known !== 401) return new ApiError('billing', prefix + text);
  if (known === 429 || ((known === 403 || known === 400 || known === 413) && RATE.test(words))) {
    return rateLimited(prefix, text, headers, context.now);
  }
  if (known === 400 || known === 422) {
    const capability = capabilityOf(words);
    if (capability !== undefined)
      return new ApiError('capability_rejected', `capability_rejected: ${capability}`, { cause: text });
    if (UNKNOWN_MODEL.test(words))
      return new ApiError('unknown_model', messageFor('unknown_model', prefix, text, context));
  }
  if (known === undefined) {
    const code: ErrorCode = RATE.test(words) && !/overloaded/i.test(words) ? 'rate_limited' : 'overloaded';
    return new ApiError(code, prefix + text);
  }
  const code = codeOfStatus(known, words);
  return new ApiError(code, messageFor(code, prefix, text, context));
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
  return failureOfBody(readErrorBody(body), status, context, headers, body);
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
