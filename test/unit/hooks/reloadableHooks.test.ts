import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type HookInfo, ReloadableHooks } from '../../../src/hooks/hooks.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

const INFO: HookInfo = {
  instance: 'test',
  id: 'req_1',
  provider: 'kimi',
  model: 'claude-opus-5',
  stream: true,
  agent: undefined,
  session: 'abc',
};
const REQUEST = { model: 'claude-opus-5', messages: [{ role: 'user', content: 'hello' }] };
const ANSWER = { type: 'message', content: [{ type: 'text', text: 'hi' }] };

const source = (model: string) => `export const request = (body) => ({ ...body, model: '${model}' });`;

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

interface Started {
  readonly hooks: ReloadableHooks;
  readonly file: string;
  /** `level message {"fields":...}` of each line that was logged. */
  readonly log: string[];
  /** Resolves with the next line of the log. */
  readonly nextLine: () => Promise<string>;
  readonly request: (body?: object) => Promise<unknown>;
  readonly response: (message?: object) => Promise<unknown>;
}

function startHooks(source: string, limitMs?: number): Started {
  const folder = temporaryFolder();
  const file = join(folder.path, 'my hooks.mjs');
  writeFileSync(file, source);
  const log: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const write = (level: string) => (message: string, fields?: object) => {
    const line = `${level} ${message} ${JSON.stringify(fields)}`;
    log.push(line);
    waiting.shift()?.(line);
  };
  const logger = { warn: write('warn'), error: write('error') };
  const hooks = new ReloadableHooks(logger, limitMs);
  hooks.use(file);
  cleanUps.push(folder.remove, () => void hooks.close());
  const parsed = (text: string | undefined) => (text === undefined ? undefined : JSON.parse(text));
  return {
    hooks,
    file,
    log,
    nextLine: () => new Promise((resolve) => waiting.push(resolve)),
    request: async (body = REQUEST) => parsed(await hooks.call('request', JSON.stringify(body), INFO)),
    response: async (message = ANSWER) => parsed(await hooks.call('response', JSON.stringify(message), INFO)),
  };
}

test('hooks get the parsed values and what is known of the request, and return changed ones', async () => {
  const { request, response, log } = startHooks(`
    export const request = (body, info) => ({ ...body, system: JSON.stringify(info) });
    export async function response(message, info) {
      message.content[0].text += ' from ' + info.provider;
      return message;
    }`);
  const { system, ...rest } = (await request()) as { system: string };
  expect(rest).toEqual(REQUEST);
  expect(JSON.parse(system)).toEqual(JSON.parse(JSON.stringify(INFO)));
  expect(await response()).toEqual({ type: 'message', content: [{ type: 'text', text: 'hi from kimi' }] });
  expect(log).toEqual([]);
});

test('what a hook returns counts: nothing, or the same, leaves the text untouched', async () => {
  const { request, response } = startHooks(`
    export function request(body) { body.model = 'changed in place only'; }
    export function response(message) { return message; }`);
  expect(await request()).toBeUndefined();
  expect(await response()).toBeUndefined();
});

test('a hook that is not exported is never called', async () => {
  const { hooks, request, response, log } = startHooks(`
    export function request() {}`);
  await request();
  expect([hooks.has('request'), hooks.has('response')]).toEqual([true, false]);
  expect(await response()).toBeUndefined();
  expect(log).toEqual([]);
});

test.each([
  ['an error', 'body.nothing.at.all;', 'TypeError: Cannot read properties of undefined'],
  ['an error of a promise', 'await Promise.reject(new Error("later"));', 'Error: later'],
  ['something that is no error', 'throw { toString: () => "odd" };', 'odd'],
  ['a return of something else', 'return [body];', 'it returned something that is no request'],
  ['a return without messages', 'return { model: "x" };', 'it returned something that is no request'],
  ['a return that is no JSON', 'return { ...body, at: 1n };', 'TypeError: Do not know how to serialize a BigInt'],
])('%s of a hook is logged with its name and changes nothing', async (_name, statement, reason) => {
  const { request, log } = startHooks(`export async function request(body) {
    if (body.model === 'bad') { ${statement} }
    return { ...body, model: 'good' };
  }`);
  expect(await request({ ...REQUEST, model: 'bad' })).toBeUndefined();
  expect(log).toHaveLength(1);
  expect(log[0]).toMatch(/^warn the request hook failed, and all goes on without it /);
  expect(log[0]).toContain('req_1');
  expect(log[0]).toContain(reason);
  expect(await request()).toMatchObject({ model: 'good' });
});

test('the place of an error is reported, and not the conversation that may be in its words', async () => {
  const { request, log } = startHooks(`export function request(body) {

    throw new Error(JSON.stringify(body).repeat(100));
  }`);
  await request();
  expect(log[0]).toContain('hooks.mjs:3"');
  expect(log[0]?.length).toBeLessThan(400);
});

/** Asks again while a busy machine makes even a good hook late. */
async function eventually(ask: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
}

test.each([
  ['an endless loop', 'for (;;);'],
  ['a promise that never settles', 'await new Promise(() => {});'],
])('%s is cut, and the next call finds a fresh thread', async (_name, statement) => {
  const { request, log } = startHooks(
    `import { threadId } from 'node:worker_threads';
    export async function request(body) {
      if (body.model === 'bad') { ${statement} }
      return { ...body, model: String(threadId) };
    }`,
    300,
  );
  const before = await eventually(request);
  const bad = request({ ...REQUEST, model: 'bad' });
  const behind = request();
  expect(await bad).toBeUndefined();
  expect(log.at(-1)).toContain('the request hook failed');
  expect(log.join()).toContain('it took longer than 300 ms');
  await behind;
  expect(await eventually(request)).not.toEqual(before);
});

test('a thread that dies takes no call with it, and the next one finds a fresh one', async () => {
  const { request, log } = startHooks(`export async function request(body) {
    if (body.model === 'exit') process.exit(3);
    if (body.model === 'late') {
      setTimeout(() => { throw new Error('out of any call'); });
      await new Promise(() => {});
    }
    return { ...body, model: 'good' };
  }`);
  expect(await request({ ...REQUEST, model: 'exit' })).toBeUndefined();
  expect(log[0]).toContain('it ended its thread');
  expect(await request({ ...REQUEST, model: 'late' })).toBeUndefined();
  expect(log[1]).toContain('out of any call');
  expect(await request()).toMatchObject({ model: 'good' });
});

test.each([
  ['a wrong syntax', 'export function request( {', 'SyntaxError'],
  ['an error while it is loaded', '\nthrow new Error("not today");', 'not today'],
  ['an end while it is loaded', 'process.exit(0);', 'it ended its thread'],
  ['no hooks', 'export const hello = 1;', 'it exports no request and no response'],
  ['a missing import', 'import "./nothing.mjs";', 'nothing.mjs'],
])('a file with %s is reported once, and requests go on without hooks', async (_name, source, reason) => {
  const { hooks, request, log, nextLine } = startHooks(source);
  const line = nextLine();
  const early = request();
  expect(await line).toContain('error the hooks file cannot be used');
  expect(log[0]).toContain(reason);
  expect(await early).toBeUndefined();
  expect([hooks.has('request'), hooks.has('response')]).toEqual([false, false]);
  expect(await request()).toBeUndefined();
  expect(log).toHaveLength(1);
});

test('calls made while a slow file is loaded wait for it no longer than for a hook', async () => {
  const held: ServerResponse[] = [];
  let isOpen = false;
  const server = createServer((_request, response) => {
    if (isOpen) response.end();
    else held.push(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanUps.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { request, log } = startHooks(
    `await fetch('http://127.0.0.1:${port}', { headers: { connection: 'close' } });
    export function request(body) { return { ...body, model: 'loaded' }; }`,
    200,
  );
  expect(await request()).toBeUndefined();
  expect(log[0]).toContain('it took longer than 200 ms');
  isOpen = true;
  for (const response of held) response.end();
  expect(await eventually(request)).toMatchObject({ model: 'loaded' });
});

test('a changed file is loaded beside the one before, which goes on until then, and for good when the new one is broken', async () => {
  const { hooks, file, log, nextLine, request } = startHooks(source('first'));
  expect(await eventually(request)).toMatchObject({ model: 'first' });
  writeFileSync(file, source('second'));
  hooks.use(file);
  expect(await eventually(request)).toMatchObject({ model: 'first' });
  let answer: unknown;
  do answer = await eventually(request);
  while (JSON.stringify(answer).includes('first'));
  expect(answer).toMatchObject({ model: 'second' });

  const line = nextLine();
  writeFileSync(file, 'export function request(');
  hooks.use(file);
  expect(await line).toContain('the hooks file cannot be used until it is changed; the one before goes on');
  expect(await eventually(request)).toMatchObject({ model: 'second' });
  expect(log.filter((one) => one.startsWith('error'))).toHaveLength(1);
});

test('a file that is repaired after it was broken from the start is taken, and none any more when it is left out', async () => {
  const { hooks, file, nextLine, request } = startHooks('export function request(');
  expect(await nextLine()).toContain('requests go on without hooks');
  expect(hooks.areIdle).toBe(true);
  writeFileSync(file, source('repaired'));
  hooks.use(file);
  expect(await eventually(request)).toMatchObject({ model: 'repaired' });
  hooks.use(undefined);
  expect(hooks.areIdle).toBe(true);
  expect(await request()).toBeUndefined();
});

test('the end waits for the calls under way and takes no more', async () => {
  const { hooks, request, log } = startHooks('export const request = (body) => ({ ...body, model: "last" });');
  const waiting = request();
  const closed = hooks.close();
  expect(await request()).toBeUndefined();
  await closed;
  expect(await waiting).toMatchObject({ model: 'last' });
  expect([hooks.has('request'), hooks.has('response')]).toEqual([false, false]);
  expect(log).toEqual([]);
});
