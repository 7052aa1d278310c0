import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, test } from 'vitest';
import { createCertificate } from '../helpers/certificate.ts';
import { type Expected, type Fault, playFault } from '../helpers/playFault.ts';
import { head, send, whole } from '../helpers/rawUpstream.ts';

const completion = JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });
const fine = send(whole('200 OK', 'application/json', completion));

const trusted = createCertificate('localhost');
const otherName = createCertificate('elsewhere.test');
const expired = createCertificate('localhost', new Date(Date.now() - 60_000));
const unknown = createCertificate('localhost');

const refused = (words: RegExp): Expected => ({
  status: 502,
  type: 'api_error',
  words,
  headers: { 'x-should-retry': 'false' },
});

/** What NODE_EXTRA_CA_CERTS does for a process, for this test alone. */
const before = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...before, trusted.cert, otherName.cert, expired.cert]));
afterAll(() => setDefaultCACertificates(before));

const rows: Record<string, Fault & { expected: Expected }> = {
  'a certificate that is trusted': {
    script: fine,
    tls: { options: trusted, host: 'localhost' },
    expected: { status: 200, text: 'fine' },
  },
  'U14 a server that does not speak TLS': {
    script: ({ socket }) => void socket.once('data', () => socket.end(head('400 Bad Request'))),
    baseUrl: (port) => `https://localhost:${port}/v1`,
    expected: refused(/use http:\/\/ in OPENAI_BASE_URL/),
  },
  'U15 a self-signed certificate': {
    script: fine,
    tls: { options: unknown, host: 'localhost' },
    expected: refused(/self-signed.*CA_FILE/),
  },
  'U16 a certificate for another name': {
    script: fine,
    tls: { options: otherName, host: 'localhost' },
    expected: refused(/for another name/),
  },
  'U17 a certificate that has expired': {
    script: fine,
    tls: { options: expired, host: 'localhost' },
    expected: refused(/has expired/),
  },
};

const cases = Object.entries(rows).flatMap(([name, { expected, ...fault }]) =>
  [true, false].map((stream) => ({ name, how: stream ? 'streamed' : 'whole', stream, fault, expected })),
);

test.each(cases)('R402 $name, $how', async ({ fault, stream, expected }) => {
  await playFault(fault, stream, expected);
});
