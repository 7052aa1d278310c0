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
