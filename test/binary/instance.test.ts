import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { executablePath } from '../../src/host/workers.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, open, readEvents } from '../helpers/startApp.ts';
import { type Binary, freePort, spawnBinary, startBinary } from '../helpers/startBinary.ts';
import { lookIntoStart } from '../helpers/startLook.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const ROOT = join(import.meta.dirname, '../..');

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function started(settings: Record<string, string>): Promise<Binary> {
  const binary = await startBinary(settings);
  cleanUps.push(() => binary.stop());
  return binary;
}

async function upstreamWith(behaviour: Behaviour): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({ model: behaviour });
  cleanUps.push(() => upstream.close());
  return upstream;
}

const settingsFor = (upstream: FakeUpstream) => ({
  OPENAI_BASE_URL: upstream.url,
  OPENAI_API_KEY: 'sk-canary-0123456789abcdef',
  BIG_MODEL: 'model',
  SMALL_MODEL: 'model',
});

test('what the build has compiled is taken in a start, nothing is compiled anew', async () => {
  const { path: folder, remove } = temporaryFolder();
  cleanUps.push(async () => remove());
  const look = lookIntoStart(folder);
  const program = [executablePath(ROOT), `--node-options=${look.option}`];
  const binary = await startBinary({ PROVIDER: 'demo', PERMISSION_MODEL: 'off' }, 'test', program);
  cleanUps.push(() => binary.stop());
  const { rejected } = look.read();
  expect(rejected).toMatchObject({ 'main.cjs': false, 'instance.cjs': false });
  expect(Object.values(rejected)).not.toContain(true);
});

test('the demo provider answers in words and makes a tool call, without network and key', async () => {
  const binary = await started({ PROVIDER: 'demo' });
  const answer = await call(`${binary.url}/v1/messages`, message('claude-opus-5', { stream: true }));
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('demo');
  const tools = [{ name: 'Bash', input_schema: { type: 'object', properties: { command: { type: 'string' } } } }];
  const messages = [{ role: 'user', content: 'Please list the files.' }];
  const whole = JSON.parse(
    (await call(`${binary.url}/v1/messages`, message('claude-sonnet-5', { tools, messages }))).text,
  );
  expect(whole.stop_reason).toBe('tool_use');
  expect(whole.content.at(-1)).toMatchObject({ type: 'tool_use', name: 'Bash', input: { command: 'ls' } });
  const commandFor = async (content: string) => {
    const asked = message('claude-sonnet-5', { tools, messages: [{ role: 'user', content }] });
    return JSON.parse((await call(`${binary.url}/v1/messages`, asked)).text).content.at(-1).input?.command;
  };
  expect(await commandFor('run echo hi')).toBe('echo hi');
  expect(await commandFor('Please execute `echo a`, then rest')).toBe('echo a');
  expect(await commandFor('run the tests')).toBeUndefined();
});

test('P5 a port that is taken is reported with its holder, and ends with 78', async () => {
  const port = await freePort();
  const thief = createServer().listen(port, '127.0.0.1');
  await once(thief, 'listening');
  cleanUps.push(async () => thief.close());
  const binary = await spawnBinary({ PROVIDER: 'demo', PORT: String(port) });
  cleanUps.push(() => binary.stop());
  expect(await binary.exited).toBe(78);
  expect(binary.output()).toContain(`port ${port} is taken by`);
  expect(binary.output()).toContain(`pid ${process.pid}`);
  expect(binary.output().trim().split('\n')).toHaveLength(1);
});

test('A2 R509 an instance without a token does not listen beyond this machine', async () => {
  const binary = await spawnBinary({ PROVIDER: 'demo', HOST: '0.0.0.0' });
  cleanUps.push(() => binary.stop());
  expect(await binary.exited).toBe(78);
  expect(binary.output()).toContain('ANTHROPIC_API_KEY');
});

test('P8 R512 a stop lets running answers finish, takes no new connections, and ends with 0', async () => {
  let goOn: () => void = () => {};
  const upstream = await upstreamWith(async (response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'first' })));
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    response.end(`${frame(delta({ content: ' last' }))}${frame(delta({}, 'stop'))}data: [DONE]\n\n`);
  });
  const binary = await started(settingsFor(upstream));
  const response = await open(`${binary.url}/v1/messages`, message('model', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
  });
  await once(response, 'data');
  binary.process.kill('SIGTERM');
  while (!binary.output().includes('stopping on SIGTERM')) await once(binary.process.stdout ?? response, 'data');
  await expect(call(`${binary.url}/health`)).rejects.toThrow(/ECONNREFUSED/);
  goOn();
  await once(response, 'end');
  expect(text).toContain(' last');
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
  expect(await binary.exited).toBe(0);
});

test('P8 R512 an answer that takes longer than the drain ends in an error event', async () => {
  const upstream = await upstreamWith((response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'first' })));
  });
  const binary = await started({ ...settingsFor(upstream), DRAIN_SECONDS: '1' });
  const response = await open(`${binary.url}/v1/messages`, message('model', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
  });
  await once(response, 'data');
  binary.process.kill('SIGINT');
  await once(response, 'end');
  expect(readEvents(text).at(-1)).toMatchObject(['error', { error: { type: 'overloaded_error' } }]);
  expect(await binary.exited).toBe(0);
});

test('S1 S2 the key is in no log line, output or answer, even when the provider repeats it', async () => {
  const upstream = await upstreamWith((response) => {
    response
      .writeHead(400, { 'content-type': 'application/json', 'x-request-id': 'sk-canary-0123456789abcdef' })
      .end(JSON.stringify({ error: { message: 'bad request with sk-canary-0123456789abcdef in it' } }));
  });
  const binary = await started({ ...settingsFor(upstream), LOG_LEVEL: 'DEBUG' });
  const answers = [
    await call(`${binary.url}/v1/messages`, message('model')),
    await call(`${binary.url}/v1/messages`, message('model', { stream: true })),
    await call(`${binary.url}/health`),
    await call(`${binary.url}/`),
  ];
  binary.process.kill('SIGTERM');
  await binary.exited;
  const log = readFileSync(join(binary.folder, 'logs/test/test.log'), 'utf8');
  expect(log).toContain('"event":"request"');
  for (const text of [log, binary.output(), ...answers.map((answer) => answer.text + JSON.stringify(answer.headers))]) {
    expect(text).not.toContain('canary');
    expect(text).not.toContain(Buffer.from('sk-canary-0123456789abcdef').toString('base64').slice(0, 20));
  }
});

test('a log folder that cannot be written costs no request', async () => {
  const upstream = await upstreamWith(words('fine'));
  const binary = await started({ ...settingsFor(upstream), LOG_DIR: '/dev/null/logs' });
  expect((await call(`${binary.url}/v1/messages`, message('model'))).status).toBe(200);
  const { log } = JSON.parse((await call(`${binary.url}/health`)).text);
  expect(log.healthy).toBe(false);
  expect(existsSync('/dev/null/logs')).toBe(false);
});
