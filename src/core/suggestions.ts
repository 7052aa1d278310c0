import type { ErrorType } from './errorTable.ts';

const CHECK_LOG = 'The log of the instance has the details: ./manage logs NAME';

/** What a user can try when a test request to the provider fails, by the type of the error that came back. */
const SUGGESTIONS: Partial<Record<ErrorType, readonly string[]>> = {
  invalid_request_error: ['A parameter that the provider refuses can be left out with QUIRK_DROP_PARAMS.', CHECK_LOG],
  authentication_error: [
    'Check the key in the env file, then restart the instance.',
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

/** Sentences for the user; empty when there is nothing better to say than the error itself. */
export function suggestionsFor(errorType: string): readonly string[] {
  return Object.hasOwn(SUGGESTIONS, errorType) ? (SUGGESTIONS[errorType as ErrorType] ?? []) : [];
}
