import { ApiError } from './errors.ts';

/** Any thrown value as an error that can be answered: what is not one becomes a 500 that tells nothing of the inside. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('internal', 'the proxy failed on this request; its log has the reason under the request id', {
    cause: thrown,
  });
}
