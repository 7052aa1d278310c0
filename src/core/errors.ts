import { type ErrorCode, type ErrorRow, type ErrorType, errorTable } from './errorTable.ts';

export interface ApiErrorDetails {
  /** Seconds; overrides the row's default. */
  retryAfterSeconds?: number;
  /** Overrides the row's value. */
  shouldRetry?: boolean;
  /** Overrides the row's status, for a provider's own 4xx that fits the row. */
  status?: number;
  /** Anthropic's own code for the case, by which its SDK decides what to do. */
  anthropicCode?: string;
  /** The part of the request that the provider names: `reasoning.summary`. */
  param?: string;
  cause?: unknown;
  /** Body of the provider's own error, JSON, for a client that reads it itself. */
  body?: string;
}

/** An error that is answered to the client in Anthropic's envelope. The message is shown to the user as it stands. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: ErrorType;
  readonly shouldRetry: boolean | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly anthropicCode: string | undefined;
  readonly param: string | undefined;
  /** Body of the provider's own error, where the client gets that in place of the message. */
  readonly body: string | undefined;

  constructor(code: ErrorCode, message: string, details: ApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ApiError';
    const row: ErrorRow = errorTable[code];
    this.code = code;
    this.status = details.status ?? row.status;
    this.type = row.type;
    this.shouldRetry = details.shouldRetry ?? row.shouldRetry;
    this.anthropicCode = details.anthropicCode;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds ?? row.retryAfterSeconds;
    this.body = details.body;
  }
}

/** Any thrown value as an error that can be answered: what is not one becomes a 500 that reveals nothing of the inside. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('internal', 'the proxy failed on this request; its log has the reason under the request id', {
    cause: thrown,
  });
}

const CHECK_LOG = 'The log of the instance has the details: ./manage logs NAME';

/** What a user can try when a test request to the provider fails, by the type of the error that came back. */
const SUGGESTIONS: Partial<Record<ErrorType, readonly string[]>> = {
  invalid_request_error: ['A parameter that the provider refuses can be left out with QUIRK_DROP_PARAMS.', CHECK_LOG],
  authentication_error: [
    'Correct the key: ./manage key NAME. It holds within a second.',
    'A key belongs to one region and one kind of plan: see REGION and docs/PROVIDERS.md.',
  ],
  billing_error: ['Top up the account, or wait until the plan resets.'],
  permission_error: [
    'Check that the plan includes this model, or choose another in BIG_MODEL, MIDDLE_MODEL or SMALL_MODEL.',
  ],
  not_found_error: [
    'Check BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL in the env file; docs/PROVIDERS.md lists the models that are known.',
  ],
  rate_limit_error: ['Wait a moment and try again; a larger plan has larger limits.'],
  timeout_error: ['Try again; raise REQUEST_TIMEOUT if the model needs longer to begin its answer.'],
  api_error: ['Check OPENAI_BASE_URL in the env file.', CHECK_LOG],
  overloaded_error: [
    'Check the network of this machine and OPENAI_BASE_URL in the env file.',
    'If both are right, look at the provider’s status page and try again later.',
  ],
};

/** Sentences for the user; empty when there is nothing better to say than the error itself. Commands name the instance as `NAME`. */
export function suggestionsFor(errorType: string): readonly string[] {
  return Object.hasOwn(SUGGESTIONS, errorType) ? (SUGGESTIONS[errorType as ErrorType] ?? []) : [];
}

/** Suggestions for one instance, whose commands can be pasted. */
export function forInstance(suggestions: readonly string[], instance: string): string[] {
  return suggestions.map((suggestion) => suggestion.replaceAll(' NAME', () => ` ${instance}`));
}

const OTHER_PROTOCOL = 'the server does not speak TLS: use http:// in OPENAI_BASE_URL if that is meant';
const GIVE_ROOT =
  'name the file of its root in CA_FILE, or set SYSTEM_CA=on if this machine trusts it (docs/COMPANY-NETWORK.md)';
const UNKNOWN_ISSUER = `its certificate cannot be verified: ${GIVE_ROOT}`;

const HINTS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: OTHER_PROTOCOL,
  EPROTO: OTHER_PROTOCOL,
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is self-signed: ${GIVE_ROOT}`,
  SELF_SIGNED_CERT_IN_CHAIN: `a certificate in its chain is self-signed: ${GIVE_ROOT}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: check the host in OPENAI_BASE_URL',
  CERT_HAS_EXPIRED: 'its certificate has expired: check the clock of this machine, else the provider must renew it',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: check the clock of this machine',
};

/** What a failed TLS handshake means for the user, by the code of Node's error; undefined for any other error. */
export function tlsHint(code: string): string | undefined {
  return Object.hasOwn(HINTS, code) ? HINTS[code] : undefined;
}
