import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Behaviour, delta, frame, inTurn, json, openEvents } from '../helpers/fakeUpstream.ts';
import { setStage } from '../helpers/stage.ts';
import { turn } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

const success = turn({ text: 'COMPLETE ANSWER' });

function error(status: number, message: string, headers: Record<string, string> = {}): Behaviour {
  return json(status, { error: { message } }, headers);
}

/** Says half an answer and breaks the connection. */
const dies: Behaviour = (response) => {
  openEvents(response);
  response.write(frame(delta({ content: 'HALF AN ANSWER' })), () => response.destroy());
};

const breaksOff: Behaviour = (response) => {
  openEvents(response);
  response.end(frame(delta({ content: 'HALF AN ANSWER' })) + frame({ error: { message: 'server had an error' } }));
};

interface Case {
  readonly what: string;
  readonly failures: readonly Behaviour[];
}

const passing: Case[] = [
  {
    what: 'R408 429 with retry-after',
    failures: [error(429, 'Rate limit reached for requests', { 'retry-after': '1' })],
  },
  { what: 'R409 500', failures: [error(500, 'internal error')] },
  { what: 'R409 529', failures: [error(529, 'overloaded')] },
  {
    what: 'R402 503 so often that the proxy gives up first',
    failures: [1, 2, 3].map((number) => error(503, `bad day ${number}`)),
  },
  { what: 'R402 a page of HTML with 502', failures: [json(502, '<html><title>Bad Gateway</title></html>')] },
  { what: 'R319 a connection that dies mid-stream', failures: [dies] },
  { what: 'R318 an error mid-stream', failures: [breaksOff] },
  { what: 'R219 an error with status 200', failures: [json(200, { error: { message: 'try again', code: 503 } })] },
];

test.each(passing)('$what: claude ends with the whole answer', async ({ failures }) => {
  const { url, upstream } = await setStage(inTurn(...failures, success));
  const run = await runClaude(url, 'hello');
  expect(run).toMatchObject({ exitCode: 0, text: 'COMPLETE ANSWER' });
  expect(upstream.requests).toHaveLength(failures.length + 1);
});

const lasting = [
  { what: 'R402 a rejected key', answer: error(401, 'bad key'), says: 'the provider rejected OPENAI_API_KEY: bad key' },
  { what: 'R402 an empty balance', answer: error(402, 'Insufficient balance'), says: 'Insufficient balance' },
  { what: 'R402 a model beyond the plan', answer: error(403, 'not in your plan'), says: 'not in your plan' },
];

test.each(lasting)('$what is reported at once, after one request', async ({ answer, says }) => {
  const { url, upstream } = await setStage(answer);
  const run = await runClaude(url, 'hello');
  expect(run.exitCode).toBe(1);
  expect(run.text).toContain(says);
  expect(upstream.requests).toHaveLength(1);
});

test('R402 a refused request is reported in the words of the provider', async () => {
  // Claude Code itself tries a refused request in six forms, with fewer and fewer of its features.
  const { url } = await setStage(error(400, 'seed is not a number'));
  const run = await runClaude(url, 'hello');
  expect(run.exitCode).toBe(1);
  expect(run.text).toContain('seed is not a number');
});

test('R402 an unknown model is reported with its name', async () => {
  const { url, upstream } = await setStage(error(404, 'model not found'));
  const run = await runClaude(url, 'hello');
  expect(run.exitCode).toBe(1);
  // Claude Code asks for an unknown model once more, without a stream, and then uses words of its own.
  expect(run.text).toContain('issue with the selected model');
  // Each time the model of another tier is asked, too.
  expect(upstream.requests.map(({ body }) => [body.model, body['stream']])).toEqual([
    ['big', true],
    ['small', true],
    ['big', undefined],
    ['small', undefined],
  ]);
});

test.each([
  [
    'the tokens of the day',
    { tokens_per_day: 1 },
    'alice has used the 1 token of this day that its token allows; again in',
  ],
  ['the last day', { expires: '2020-01-01' }, 'the token of alice was valid until 2020-01-01'],
  ['the list of models', { models: ['small'] }, 'the token of alice is not for big; it is for small'],
])('a client that is beyond a limit of its own token (%s) reads so in Claude Code', async (_what, limit, says) => {
  const token = 'sk-ccp-a-token-of-alice';
  const file = join(workFolder(), 'clients.json');
  const client = { name: 'alice', sha256: createHash('sha256').update(token).digest('hex'), ...limit };
  writeFileSync(file, JSON.stringify({ clients: [client] }));
  const { url } = await setStage(success, {
    CLIENT_TOKENS_FILE: file,
    ANTHROPIC_API_KEY: 'canary-of-the-owner-0123456789',
    PERMISSION_MODEL: 'off',
  });
  const environment = { ANTHROPIC_AUTH_TOKEN: token };
  await runClaude(url, 'hello', { environment });
  const run = await runClaude(url, 'hello', { environment });
  expect(run.exitCode).toBe(1);
  expect(run.text).toContain(says);
});
