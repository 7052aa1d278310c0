import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const BOOLEAN = 0x01;
/** Tags of X.509's own, read by their place. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

/** One DER value: tag, length, content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const identifier = (hexadecimal: string) => der(OBJECT_IDENTIFIER, Buffer.from(hexadecimal, 'hex'));
const time = (at: Date) => der(GENERALIZED_TIME, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`));

const ECDSA_WITH_SHA256 = der(SEQUENCE, identifier('2a8648ce3d040302'));
const COMMON_NAME = identifier('550403');
const SUBJECT_ALT_NAME = identifier('551d11');
const BASIC_CONSTRAINTS = identifier('551d13');

export interface Certificate {
  /** Both in PEM. */
  readonly cert: string;
  readonly key: string;
}

/** Who signs certificates in place of themselves. */
export interface Authority extends Certificate {
  readonly name: string;
}

function distinguishedName(commonName: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(commonName)))));
}

/** A certificate authority, made anew. */
export function createAuthority(name: string): Authority {
  return { name, ...createCertificate(name) };
}

const DAY_MS = 86_400_000;

/** A certificate for one host name, self-signed without an issuer; made anew, so that no private key lies in the repository. */
export function createCertificate(
  hostName: string,
  validUntil = new Date(Date.now() + DAY_MS),
  issuer?: Authority,
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const alternative = der(SEQUENCE, der(DNS_NAME, Buffer.from(hostName)));
  const authority = der(SEQUENCE, ...(issuer === undefined ? [der(BOOLEAN, Buffer.of(0xff))] : []));
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(issuer === undefined ? 1 : 2)),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer?.name ?? hostName),
    der(SEQUENCE, time(new Date(validUntil.getTime() - 2 * DAY_MS)), time(validUntil)),
    distinguishedName(hostName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        der(SEQUENCE, SUBJECT_ALT_NAME, der(OCTET_STRING, alternative)),
        der(SEQUENCE, BASIC_CONSTRAINTS, der(OCTET_STRING, authority)),
      ),
    ),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', body, signer));
  const encoded = der(SEQUENCE, body, ECDSA_WITH_SHA256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${(encoded.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}
