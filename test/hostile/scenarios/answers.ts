import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Behaviour } from '../../helpers/fakeUpstream.ts';
import { expectNoSecret } from '../../helpers/secretForms.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';
import { waitUntil } from '../../helpers/waitUntil.ts';
import { events, large } from '../answering.ts';
import { question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';
import { KEY, type Stage } from '../stage.ts';

const ROOT = join(import.meta.dirname, '../../..');
const JSON_TYPE = { 'content-type': 'application/json' };
const json = (first: string, block: string, megabytes: number, last: string): Behaviour =>
  large(200, JSON_TYPE, { first, block, megabytes, last });

/** Everything in an answer that a provider may name as it likes. */
function namedBy(name: string): Behaviour {
  const choice = { delta: { content: 'hi' }, finish_reason: name };
  const usage = { prompt_tokens: 1, completion_tokens: 1 };
  return (response, request) => {
    response.setHeader('x-request-id', encodeURIComponent(name));
    return events(
      `data: ${JSON.stringify({ id: name, model: name, service_tier: name, choices: [choice], usage })}\n\n`,
      'data: [DONE]\n\n',
    )(response, request);
  };
}

const VIEWS = ['/health', '/metrics', '/v1/stats'];
const viewsOf = async (stage: Stage) => (await Promise.all(VIEWS.map(stage.get))).join('\n');

async function usageWritten(stage: Stage): Promise<void> {
  const { written } = (await stage.health()).usage;
  await stage.ask(question('ordinary'));
  await waitUntil('usage is written', async () => (await stage.health()).usage.written > written);
}

/** `./manage usage --csv` over what the instance has written, as the manager of a project with this one instance prints it. */
function usageCsv({ binary }: Stage): string {
  const { path: root, remove } = temporaryFolder();
  try {
    for (const folder of ['dist', 'envs', 'state']) mkdirSync(join(root, folder));
    for (const file of ['dist/manager.cjs', 'package.json', 'ecosystem.config.cjs']) {
      copyFileSync(join(ROOT, file), join(root, file));
    }
    writeFileSync(join(root, 'envs/hostile.env'), 'PROVIDER=demo\n', { mode: 0o600 });
    const state = join(binary.folder, 'state');
    for (const name of readdirSync(state)) copyFileSync(join(state, name), join(root, 'state', name));
    const words = [join(root, 'dist/manager.cjs'), 'usage', '--by', 'model', '--csv'];
    return execFileSync(process.execPath, words, { cwd: root, env: { HOME: root, PM2_HOME: root }, encoding: 'utf8' });
  } finally {
    remove();
  }
}

function filesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

/** Controls of a terminal, and marks that turn the direction of writing around. Line feeds end the lines of /metrics and of CSV. */
const CONTROL = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

export const answerScenarios: readonly Scenario[] = [
  {
    name: 'answers with a JSON text of 60 MB',
    provider: json('{"choices":[{"message":{"content":"', 'a'.repeat(60_000), 60, '"},"finish_reason":"stop"}]}'),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'answers with 30 million numbers in 60 MB of JSON',
    provider: json(
      '{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"x":[',
      '1,'.repeat(30_000),
      60,
      '1]}',
    ),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'answers with 5 million objects in 15 MB of JSON',
    provider: json(
      '{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"x":[',
      '{},'.repeat(20_000),
      15,
      '1]}',
    ),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'answers with JSON of 100,000 levels',
    provider: json(`{"choices":${'['.repeat(100_000)}`, ' ', 0.001, `${']'.repeat(100_000)}}`),
    questions: [wholeQuestion('hostile'), question('hostile')],
  },
  {
    name: 'answers with arguments of 100,000 levels',
    provider: json(
      `{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"T","arguments":${'['.repeat(100_000)}`,
      ' ',
      0.001,
      `${']'.repeat(100_000)}}}]},"finish_reason":"tool_calls"}]}`,
    ),
    questions: [wholeQuestion('hostile')],
  },
  {
    name: 'answers a client of its Messages API with 40 MB of JSON',
    provider: json(
      '{"type":"message","id":"m","role":"assistant","model":"m","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1},"content":[{"type":"text","text":"',
      'a'.repeat(60_000),
      40,
      '"}]}',
    ),
    questions: [wholeQuestion('native,hostile')],
  },
  {
    name: 'answers and fails in one',
    provider: (response) => {
      response
        .writeHead(200, JSON_TYPE)
        .end('{"error":{"message":"both"},"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}');
    },
    questions: [wholeQuestion('hostile'), question('hostile')],
  },
  {
    name: 'answers with a page',
    provider: (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>x\u001b[31m</title>');
    },
    questions: [wholeQuestion('hostile'), question('hostile')],
  },
  {
    name: 'answers with nothing',
    provider: (response) => {
      response.writeHead(200, JSON_TYPE).end();
    },
    questions: [wholeQuestion('hostile'), question('hostile')],
  },
  {
    name: 'calls its model by the key that it was sent',
    provider: namedBy(KEY),
    holds: async (_answers, stage) => {
      await usageWritten(stage);
      const written = ['logs', 'state'].map((name) => filesOf(join(stage.binary.folder, name)));
      expectNoSecret([await viewsOf(stage), stage.binary.output(), ...written].join('\n'), [KEY]);
    },
  },
  {
    name: 'calls its model by a formula and by controls of a terminal',
    provider: namedBy('=HYPERLINK("http://x")\u001b]52;c;aGk=\u0007\r\n\u009b31m\u202ex'),
    holds: async (_answers, stage) => {
      await usageWritten(stage);
      expect(await viewsOf(stage)).not.toMatch(CONTROL);
      const csv = usageCsv(stage);
      expect(csv).toContain('HYPERLINK');
      expect(csv).not.toMatch(CONTROL);
      // A program for tables takes what begins so for something to compute.
      expect(csv).not.toMatch(/(?:^|,)"?[=+@-]/m);
    },
  },
];
