import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { editWays } from '../helpers/editFile.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, open, readEvents, type Settings } from '../helpers/startApp.ts';
import { type Binary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

// Not of a key's shape, so that only who knows them can mask them.
const OLD_KEY = 'canary.old.key';
const NEW_KEY = 'canary.new.key';

async function upstreamWith(behaviour: Behaviour): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({ '*': behaviour });
  onTestFinished(() => upstream.close());
  return upstream;
}

interface Edited {
  readonly binary: Binary;
  /** Text of the env file with these settings in place of those at the start. */
  text(settings?: Settings): string;
  /** Writes the env file with these settings in place of those at the start. */
  edit(settings: Settings): void;
}

async function start(settings: Settings, files: Record<string, string> = {}): Promise<Edited> {
  const binary = await startBinary(settings);
  onTestFinished(() => binary.stop());
  for (const [name, content] of Object.entries(files)) writeFileSync(join(binary.folder, name), content);
  const before = readFileSync(join(binary.folder, 'test.env'), 'utf8');
  const text = (changes: Settings = {}) =>
    before
      .split('\n')
      .filter((line) => !Object.keys(changes).includes(line.split('=', 1)[0] ?? ''))
      .concat(Object.entries(changes).map(([name, value]) => `${name}=${value}`))
      .filter((line) => line !== '')
      .join('\n');
  return {
    binary,
    text,
    edit: (changes) => writeFileSync(join(binary.folder, 'test.env'), `${text(changes)}\n`),
  };
}

const at = (upstream: FakeUpstream, settings: Settings = {}): Settings => ({
  OPENAI_API_KEY: OLD_KEY,
  BIG_MODEL: 'large',
  SMALL_MODEL: 'small',
  ...settings,
  OPENAI_BASE_URL: upstream.url,
});
const healthOf = async (binary: Binary) => JSON.parse((await call(`${binary.url}/health`)).text);
/** Waits until what the instance says of itself is as it shall be. */
async function until(binary: Binary, what: string, isSo: (health: Record<string, unknown>) => boolean) {
  await waitUntil(what, async () => isSo(await healthOf(binary)));
}
const untilNew = async (binary: Binary, hash: unknown) =>
  until(binary, 'the new configuration serves', ({ config_hash }) => config_hash !== hash);

test('E3 S2 a rotated key is used by the next request, and neither key is shown by anything', async () => {
  const upstream = await upstreamWith((response, { headers }) => {
    const error = { message: `neither ${OLD_KEY} nor ${headers.authorization?.slice(7)} is a key` };
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  });
  const { binary, edit } = await start(at(upstream, { LOG_LEVEL: 'DEBUG' }));
  const ask = () => call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  const { config_hash, config_loaded_at, pid } = await healthOf(binary);
  await ask();
  edit({ OPENAI_API_KEY: NEW_KEY });
  await untilNew(binary, config_hash);
  const answer = await ask();
  expect(answer.text).toContain('neither **** nor **** is a key');
  expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${OLD_KEY}`,
    `Bearer ${NEW_KEY}`,
  ]);
  const health = await healthOf(binary);
  expect([health.pid, health.requests.total]).toEqual([pid, 2]);
  expect(health.last_error.message).toContain('neither **** nor **** is a key');
  expect(Date.parse(health.config_loaded_at)).toBeGreaterThan(Date.parse(config_loaded_at));
  expect(binary.output()).toContain('the configuration was changed');
  binary.process.kill('SIGTERM');
  await binary.exited;
  const log = readFileSync(join(binary.folder, 'logs/test/test.log'), 'utf8');
  expect(log.match(/neither \*{4} nor \*{4} is a key/g)).toHaveLength(2);
  expect(log + binary.output()).not.toMatch(/canary\.(old|new)\.key/);
});

test('E3 a secret file that is rewritten is enough', async () => {
  const upstream = await upstreamWith(words('fine'));
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const file = join(path, 'key');
  writeFileSync(file, OLD_KEY);
  const { binary } = await start({ ...at(upstream), OPENAI_API_KEY: '', OPENAI_API_KEY_FILE: file });
  const { config_hash } = await healthOf(binary);
  writeFileSync(file, NEW_KEY);
  await untilNew(binary, config_hash);
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${NEW_KEY}`]);
});

test('a models file that comes into being is found, and a broken one costs no model', async () => {
  const upstream = await upstreamWith(words('fine'));
  const { binary } = await start(at(upstream));
  const file = join(binary.folder, 'models.json');
  const modelsOf = async () => (await call(`${binary.url}/v1/models`)).text;
  const model = { model_id: 'mine', model_name: 'theirs', api_base: upstream.url, api_key_name: 'OPENAI_API_KEY' };
  writeFileSync(file, JSON.stringify([model]));
  await waitUntil('the model is there', async () => (await modelsOf()).includes('custom/mine'));
  expect((await call(`${binary.url}/v1/messages`, message('custom/mine'))).status).toBe(200);
  expect(upstream.requests[0]?.body.model).toBe('theirs');
  writeFileSync(file, '[{"model_id":');
  await until(binary, 'the file is wrong', ({ config_problems }) =>
    JSON.stringify(config_problems).includes('models.json'),
  );
  expect(await modelsOf()).toContain('custom/mine');
});

test('E1 a broken edit leaves the old configuration serving, with its line in /health and log, until it is repaired', async () => {
  const upstream = await upstreamWith(words('fine'));
  const { binary, edit, text } = await start(at(upstream));
  const { config_hash } = await healthOf(binary);
  edit({ LOG_LEVEL: 'loud', BIG_MODEL: 'other' });
  await until(binary, 'the edit is refused', ({ config_problems }) => (config_problems as unknown[]).length > 0);
  const line = text({ LOG_LEVEL: 'loud', BIG_MODEL: 'other' }).split('\n').indexOf('LOG_LEVEL=loud') + 1;
  const broken = await healthOf(binary);
  expect(broken).toMatchObject({ config_hash, state: 'serving', config_problems: [{ line, key: 'LOG_LEVEL' }] });
  expect(binary.output()).toContain(`test.env:${line} LOG_LEVEL: found`);
  const log = join(binary.folder, 'logs/test/test.log');
  await waitUntil('the log has the line', async () => readFileSync(log, 'utf8').includes(`test.env:${line} LOG_LEVEL`));
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  edit({ BIG_MODEL: 'other' });
  await untilNew(binary, config_hash);
  expect((await healthOf(binary)).config_problems).toEqual([]);
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  expect(upstream.requests.map(({ body }) => body.model)).toEqual(['large', 'other']);
});

test('E2 a running stream goes on at the provider with which it began', async () => {
  let goOn: () => void = () => {};
  const before = await upstreamWith(async (response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'first' })));
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    response.end(`${frame(delta({ content: ' last' }))}${frame(delta({}, 'stop'))}data: [DONE]\n\n`);
  });
  const after = await upstreamWith(words('from the new provider'));
  const { binary, edit } = await start(at(before));
  const { config_hash } = await healthOf(binary);
  const response = await open(`${binary.url}/v1/messages`, message('claude-opus-5', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
  });
  await once(response, 'data');
  edit(at(after, { OPENAI_API_KEY: NEW_KEY }));
  await untilNew(binary, config_hash);
  expect((await call(`${binary.url}/v1/messages`, message('claude-opus-5'))).text).toContain('from the new provider');
  goOn();
  await once(response, 'end');
  expect(text).toContain(' last');
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
});

test('a changed port asks for a restart while the old one serves with the rest of the new configuration', async () => {
  const upstream = await upstreamWith(words('fine'));
  const { binary, edit } = await start(at(upstream));
  edit({ PORT: String(binary.port === 65_535 ? 65_534 : binary.port + 1), LOG_DIR: '/elsewhere', BIG_MODEL: 'other' });
  await until(binary, 'a restart is asked for', ({ restart_needed }) => (restart_needed as unknown[]).length > 0);
  expect((await healthOf(binary)).restart_needed).toEqual(['PORT', 'LOG_DIR']);
  expect(binary.output()).toContain('a restart is needed for PORT, LOG_DIR; the rest holds already');
  expect((await call(`${binary.url}/env`)).text).toContain(`:${binary.port}`);
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  expect(upstream.requests[0]?.body.model).toBe('other');
  edit({ BIG_MODEL: 'other' });
  await until(binary, 'no restart is asked for', ({ restart_needed }) => (restart_needed as unknown[]).length === 0);
});

test('R507 another client token holds at once', async () => {
  const upstream = await upstreamWith(words('fine'));
  const { binary, edit } = await start(at(upstream, { ANTHROPIC_API_KEY: 'the-old-token-of-the-clients' }));
  const { config_hash } = await healthOf(binary);
  edit({ ANTHROPIC_API_KEY: 'the-new-token-of-the-clients' });
  await untilNew(binary, config_hash);
  const statusWith = async (token: string) =>
    (await call(`${binary.url}/v1/models`, { headers: { 'x-api-key': token } })).status;
  expect(await statusWith('the-old-token-of-the-clients')).toBe(401);
  expect(await statusWith('the-new-token-of-the-clients')).toBe(200);
});

test('a raised MAX_CONCURRENT lets in who waits', async () => {
  const answers: (() => void)[] = [];
  const upstream = await upstreamWith(async (response, request) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    await words('fine')(response, request);
  });
  const { binary, edit } = await start(at(upstream, { MAX_CONCURRENT: '1' }));
  const both = [1, 2].map(() => call(`${binary.url}/v1/messages`, message('claude-opus-5')));
  await until(binary, 'one waits', ({ queue }) => JSON.stringify(queue) === '{"running":1,"waiting":1}');
  edit({ MAX_CONCURRENT: '2' });
  await waitUntil('both are asked', async () => answers.length === 2);
  for (const answer of answers) answer();
  expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
});

test('E1 E2 fifty edits under load, of every kind and every fifth a broken one: no request fails', {
  timeout: 240_000,
}, async () => {
  const upstream = await upstreamWith(words('fine'));
  const { binary, text } = await start(at(upstream));
  const path = join(binary.folder, 'test.env');
  const failures: string[] = [];
  let isOver = false;
  let asked = 0;
  const client = async () => {
    while (!isOver) {
      const answer = await call(`${binary.url}/v1/messages`, message('claude-opus-5', { stream: true }));
      asked += 1;
      if (answer.status !== 200 || !answer.text.includes('message_stop')) failures.push(answer.text);
    }
  };
  const clients = [1, 2, 3, 4].map(client);
  const ways = Object.values(editWays);
  for (let edit = 0; edit < 50; edit += 1) {
    const model = `model-${edit}`;
    // The address comes last, so that half of the file is never a configuration.
    const settings = at(upstream, { BIG_MODEL: model, OPENAI_API_KEY: `sk-key-number-${edit}-0123456789` });
    const isBroken = edit % 5 === 4;
    await ways[edit % ways.length]?.(path, text(isBroken ? { ...settings, MAX_RETRIES: 'many' } : settings));
    await until(binary, `edit ${edit} is seen`, ({ models, config_problems }) =>
      isBroken
        ? JSON.stringify(config_problems).includes('MAX_RETRIES')
        : JSON.stringify(models).includes(`"${model}"`),
    );
    const seen = upstream.requests.length;
    await waitUntil('the next request has come', async () => upstream.requests.length > seen + 4);
    const { body, headers } = upstream.requests.at(-1) ?? {};
    const holds = isBroken ? edit - 1 : edit;
    expect([body?.model, headers?.authorization]).toEqual([
      `model-${holds}`,
      `Bearer sk-key-number-${holds}-0123456789`,
    ]);
  }
  isOver = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(500);
  expect((await healthOf(binary)).requests).toMatchObject({ total: asked, ok: asked });
});
