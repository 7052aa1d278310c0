import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Behaviour, json } from '../../helpers/fakeUpstream.ts';
import { expectNoSecret } from '../../helpers/secretForms.ts';
import { repeated } from '../answering.ts';
import { question, wholeQuestion } from '../client.ts';
import { askLocalSockets } from '../localSockets.ts';
import type { Scenario } from '../scenario.ts';
import { KEY } from '../stage.ts';

const error = (status: number, message: string, headers: Record<string, string> = {}): Behaviour =>
  json(status, { error: { message } }, headers);

const page = (status: number, text: string): Behaviour => {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end(text);
  };
};

/** Pauses that no clock can hold, that lie in the past, or that are none. */
const PAUSES: readonly (readonly [name: string, Behaviour])[] = [
  ['retry-after: 1e30', error(429, 'slow down', { 'retry-after': '1e30' })],
  ['retry-after: 10000000000000', error(429, 'slow down', { 'retry-after': '10000000000000' })],
  ['retry-after: 400 digits', error(429, 'slow down', { 'retry-after': '9'.repeat(400) })],
  ['retry-after: -5000', error(429, 'slow down', { 'retry-after': '-5000' })],
  ['retry-after: NaN', error(429, 'slow down', { 'retry-after': 'NaN' })],
  ['retry-after: Infinity', error(503, 'slow down', { 'retry-after': 'Infinity' })],
  ['retry-after in the year 9999', error(429, 'slow down', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' })],
  ['retry-after-ms: 1e30', error(429, 'slow down', { 'retry-after-ms': '1e30' })],
  ['retry-after-ms: -1', error(429, 'slow down', { 'retry-after-ms': '-1' })],
  ['x-ratelimit-reset: 1e300', error(429, 'slow down', { 'x-ratelimit-reset-requests': '1e300s' })],
  ['"try again in 99999999999999s"', error(429, 'try again in 99999999999999s')],
  ['"try again in" 100,000 digits', error(429, `try again in ${'9'.repeat(100_000)}s`)],
];

const pauseScenarios = PAUSES.map(
  ([name, provider], index): Scenario => ({
    name: `says how long to wait: ${name}`,
    provider,
    questions: [wholeQuestion(`limited-${index},model`), question(`limited-${index},model`)],
    // The manager asks them when it lists what runs, and so may any user of this machine.
    holds: (_answers, stage) => askLocalSockets(stage),
  }),
);

/** Error texts that are slow to search, or too long to search at all. */
const TEXTS: readonly (readonly [name: string, Behaviour])[] = [
  [
    '24,000 digits beside "prompt is too long"',
    json(400, { error: { message: 'prompt is too long' }, x: '1'.repeat(24_000) }),
  ],
  ['24,000 digits and commas', json(400, { error: { message: `prompt is too long: ${'1,'.repeat(12_000)}` } })],
  ['a page of 20,000 beginnings of a title', page(400, `<${'<title'.repeat(20_000)}`)],
  ['60 kB of what looks like the beginning of a token', error(400, repeated('eyJ0123456789-', 60_000))],
  ['200 kB of "Bearer "', error(400, repeated('Bearer ', 200_000))],
  ['200 kB of "api_key="', error(400, repeated('api_key=', 200_000))],
  ['200 kB of "sk-"', error(400, repeated('sk-', 200_000))],
  ['1 MB of line feeds', error(400, '\n'.repeat(1_000_000))],
  ['one word of 7 MB', error(400, 'Z'.repeat(7_000_000))],
  [
    'one word of 7 MB as the code',
    json(400, { error: { message: 'no', type: 'Z'.repeat(7_000_000), code: 'Z'.repeat(7_000_000) } }),
  ],
  ['a list of 30,000 levels', page(400, `{"error":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)],
  [
    'control sequences of a terminal',
    error(400, '\u001b]52;c;aGk=\u0007\u001b[2J\u009b31m\u202e\r\nevent: message_stop\n\n'),
  ],
];

/** A provider may say its client's key in more ways than one. */
const CODINGS: readonly (readonly [name: string, (key: string) => string])[] = [
  ['as it is', (key) => key],
  ['in base64', (key) => Buffer.from(key).toString('base64')],
  ['in hexadecimal', (key) => Buffer.from(key).toString('hex')],
  ['as in an address', (key) => encodeURIComponent(key)],
];

const keyScenarios = CODINGS.map(
  ([name, write]): Scenario => ({
    name: `repeats its key ${name}`,
    provider: error(401, `the key ${write(KEY)} is not known`, { 'x-request-id': write(KEY) }),
    questions: [wholeQuestion('limited-15,model'), question('limited-15,model')],
    holds: async (answers, stage) => {
      const views = await Promise.all(['/health', '/metrics', '/v1/stats'].map(stage.get));
      const log = readFileSync((await stage.health()).log.path, 'utf8');
      expectNoSecret([JSON.stringify(answers), stage.binary.output(), log, ...views].join('\n'), [KEY]);
    },
  }),
);

const textScenarios = TEXTS.map(
  ([name, provider]): Scenario => ({
    name: `fails with ${name}`,
    provider,
    questions: [wholeQuestion('hostile'), question('hostile')],
    holds: (answers) => {
      for (const { status } of answers) expect(status).toBeGreaterThanOrEqual(400);
    },
  }),
);

export const failureScenarios: readonly Scenario[] = [
  ...pauseScenarios,
  ...textScenarios,
  ...keyScenarios,
  {
    name: 'sends the client to a file of this machine',
    provider: (response) => {
      response.writeHead(302, { location: 'file:///etc/passwd', 'set-cookie': 'a=b' }).end();
    },
    questions: [question('hostile'), wholeQuestion('hostile')],
    holds: (answers) => {
      for (const { status, headers } of answers) {
        expect(status).toBe(502);
        expect(headers['set-cookie']).toBeUndefined();
      }
    },
  },
  {
    name: 'has a status that there is not',
    provider: (response) => {
      response.writeHead(999, { 'content-type': 'application/json' }).end('{"error":{"message":"words"}}');
    },
  },
];
