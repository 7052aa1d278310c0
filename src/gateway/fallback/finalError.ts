import { ApiError } from '../../core/errors.ts';

/** A candidate that could not serve a request. */
export interface CandidateFailure {
  /** As `<provider>,<model>`. */
  readonly candidate: string;
  readonly error: ApiError;
}

/** The same error with another text. */
function reword(error: ApiError, message: string): ApiError {
  const { code, status, shouldRetry, retryAfterSeconds, body } = error;
  return new ApiError(code, message, {
    status,
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(body === undefined ? {} : { body }),
  });
}

/** The error with the name of the provider in front, where its text does not begin with one already. */
export function nameProvider(error: ApiError, provider: string): ApiError {
  return error.message.startsWith('[') ? error : reword(error, `[${provider}] ${error.message}`);
}

/** Whether the client may succeed by repeating the request. */
function isPassing({ shouldRetry, status }: ApiError): boolean {
  return shouldRetry ?? (status === 408 || status === 409 || status === 429 || status >= 500);
}

function chooseError(errors: readonly [ApiError, ...ApiError[]]): ApiError {
  const [first] = errors;
  if (!errors.every(({ code }) => code === 'rate_limited')) return errors.find(isPassing) ?? first;
  const wait = ({ retryAfterSeconds }: ApiError) => retryAfterSeconds ?? Number.POSITIVE_INFINITY;
  return errors.reduce((best, error) => (wait(error) < wait(best) ? error : best));
}

/**
 * What the client gets when every candidate has failed: the first candidate's error, but rather one after which it may repeat the
 * request, so that a session does not end for a refused key while another provider is only busy; of rate limits the shortest.
 */
export function finalError(failures: readonly [CandidateFailure, ...CandidateFailure[]]): ApiError {
  const [first, ...others] = failures;
  const error = chooseError([first.error, ...others.map((failure) => failure.error)]);
  if (others.length === 0) return error;
  const tried = failures.map(({ candidate }) => candidate).join('; ');
  return reword(error, `${error.message} (${failures.length} were tried in turn: ${tried})`);
}
