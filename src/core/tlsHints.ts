const OTHER_PROTOCOL = 'the server does not speak TLS: use http:// in OPENAI_BASE_URL if that is meant';
const UNKNOWN_ISSUER = 'its certificate cannot be verified: give the root in NODE_EXTRA_CA_CERTS';

const HINTS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: OTHER_PROTOCOL,
  EPROTO: OTHER_PROTOCOL,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: give the certificate in NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'a certificate in its chain is self-signed: give the root in NODE_EXTRA_CA_CERTS',
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
