import type { ErrorType } from './errorTable.ts';

const CHECK_LOG = 'The log of the instance has the details: ./manage logs NAME';

/** What a user can try when a test request to the provider fails, by the type of the error that came back. */
const SUGGESTIONS: Partial<Record<ErrorType, readonly string[]>> = {
  invalid_request_error: ['A parameter that the provider refuses can be left out with QUIRK_DROP_PARAMS.', CHECK_LOG],
  authentication_error: [
    'Correct the key: ./manage edit NAME. What is saved there holds within a second.',
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
