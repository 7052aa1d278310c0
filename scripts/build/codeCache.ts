import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const call = (words: string, named: object) => ({ index: 0, id: 'call_1', function: { ...named, arguments: words } });
const usage = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 };

const ANSWER = JSON.stringify({
  choices: [
    {
      message: { role: 'assistant', content: 'Once more.', tool_calls: [call('{"file_path":"b"}', { name: 'Read' })] },
      finish_reason: 'tool_calls',
    },
  ],
  usage,
});

const EVENTS = [
  { delta: { role: 'assistant', content: 'Once ' } },
  { delta: { content: 'more.' } },
  { delta: { tool_calls: [call('{"file', { name: 'Read' })] } },
  { delta: { tool_calls: [call('_path":"b"}', {})] } },
  { delta: {}, finish_reason: 'tool_calls' },
]
  .map((choice) => JSON.stringify({ choices: [{ index: 0, ...choice }] }))
  .concat(JSON.stringify({ choices: [], usage }), '[DONE]')
  .map((data) => `data: ${data}\n\n`)
  .join('');

/** A provider on a free port of this machine, for the warm-up of a build. */
export interface FakeProvider {
  readonly url: string;
  close(): void;
}

/** Starts a provider with one answer, in words and a call of a tool, whole or as events. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const server = createServer((request, response) => {
    const wantsEvents = request.headers.accept === 'text/event-stream';
    request.resume().on('end', () => {
      response.setHeader('content-type', wantsEvents ? 'text/event-stream' : 'application/json');
      response.end(wantsEvents ? EVENTS : ANSWER);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 100,
  system: 'You read files.',
  tools: [{ name: 'Read', input_schema: { type: 'object', properties: { file_path: { type: 'string' } } } }],
  messages: [
    { role: 'user', content: 'Read the files.' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: 'a' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'It is empty.' }] },
  ],
};

const REQUESTS: readonly (readonly [path: string, body?: object])[] = [
  ['/health'],
  ['/v1/messages', question],
  ['/v1/messages', { ...question, stream: true }],
  ['/v1/messages/count_tokens', question],
];

/**
 * Sends one request of each kind that an instance gets every day to the one on the port.
 * @throws when it refuses one of them.
 */
export async function sendWarmUpRequests(port: number): Promise<void> {
  for (const [path, body] of REQUESTS) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
  }
}

/** After this time it is ended. */
const LIMIT_MS = 30_000;

/** Of what the process said: a failure quotes the line in which it happened, and those of a bundle are long. */
const SHOWN_CHARACTERS = 2000;

/** The last of what the process says. */
function listenTo(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes) => {
      output += bytes;
    });
  }
  return () => output.trim().slice(-SHOWN_CHARACTERS);
}

/**
 * Runs the bundle in the folder `bundle` as an instance, and writes each of its chunks into the folder `target` in the form in
 * which the executable loads it, with its code cache: what V8 compiled until the instance had answered one request of each kind.
 * A start then compiles nothing, while a cache that is made before the program has run, as by Node's `useCodeCache`, knows the
 * functions of the outermost level only (decision 0022 has the figures).
 * @param options of Node's with which the executable will run: V8 takes no code that was compiled under others
 * @throws when the instance does not start or does not answer, which a program shall not be packed with.
 */
export async function recordCodeCache(bundle: string, target: string, options: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-code-proxy-build-'));
  const provider = await startFakeProvider();
  const file = join(folder, 'warm-up.env');
  const lines = [
    `OPENAI_BASE_URL=${provider.url}`,
    'OPENAI_API_KEY=none-needed',
    'BIG_MODEL=any',
    `LOG_DIR='${join(folder, 'logs')}'`,
    `STATE_DIR='${join(folder, 'state')}'`,
  ];
  await writeFile(file, lines.join('\n'), { mode: 0o600 });
  const child = fork(join(import.meta.dirname, 'codeRecorder.cjs'), [bundle, '--env', file], {
    cwd: folder,
    env: {},
    execArgv: [...options],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: LIMIT_MS,
  });
  try {
    const output = listenTo(child);
    const ended = once(child, 'close');
    const failed = ended.then(([code, signal]) => {
      throw new Error(`The bundle does not run (${signal ?? `exit ${code}`}). ${output()}`);
    });
    const [port] = await Promise.race([once(child, 'message'), failed]);
    await Promise.race([sendWarmUpRequests(port), failed]);
    child.send(target);
    const [code] = await ended;
    if (code !== 0) await failed;
  } finally {
    child.kill('SIGKILL');
    provider.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }); // what has just ended may still hold its files
  }
}
