import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCertificate } from '../helpers/certificate.ts';
import { type Probe, writeProbeHook } from '../helpers/probeHook.ts';
import { call, message } from '../helpers/startApp.ts';
import { freePort } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const DIST = resolve(import.meta.dirname, '../../dist');
const EXECUTABLE = join(DIST, 'claude-code-proxy');

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly output: () => string;
  readonly edit: (text: string) => void;
}

function makeFolder(name = ''): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const folder = join(path, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Starts an instance whose files lie in `folder`, with the env file's further lines. */
async function start(
  folder: string,
  lines: readonly string[],
  { command = [EXECUTABLE], environment = {} }: { command?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
): Promise<Started> {
  const port = await freePort();
  const file = join(folder, 'mine.env');
  const text = [`PORT=${port}`, `LOG_DIR='${folder}/logs'`, `STATE_DIR='${folder}/state'`, ...lines].join('\n');
  writeFileSync(file, text, { mode: 0o600 });
  const [program = '', ...words] = command;
  const child = spawn(program, [...words, '--env', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
  });
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes;
    });
  }
  await waitUntil('it listens', async () => {
    if (child.exitCode !== null) throw new Error(output);
    return output.includes('listening on');
  });
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    edit: (further) => writeFileSync(file, `${text}\n${further}`),
  };
}

/** What becomes of each probe, which a hook of the instance undertakes. */
async function outcomesOf({ url }: Started, probes: readonly Probe[]): Promise<Record<string, string>> {
  let outcomes: string[] = [];
  await waitUntil('the hooks answer', async () => {
    const { text } = await call(`${url}/v1/messages`, message('claude-opus-5'));
    const words: string = JSON.parse(text).content[0].text;
    if (words?.startsWith('[')) outcomes = JSON.parse(words);
    return outcomes.length > 0;
  });
  return Object.fromEntries(probes.map(([deed, path], index) => [`${deed} ${path}`, outcomes[index] ?? '']));
}

const every = (probes: readonly Probe[], outcome: string) =>
  Object.fromEntries(probes.map(([deed, path]) => [`${deed} ${path}`, outcome]));

/** Files of others, and things that no instance does. */
function forbidden(folder: string): Probe[] {
  return [
    ['read', '/etc/passwd'],
    ['read', join(folder, 'other.env')],
    ['read', join(folder, 'state/run/other.settings.json')],
    ['read', join(folder, 'logs/other/other.log')],
    ['list', folder],
    ['list', join(folder, 'state')],
    ['list', '/'],
    ['write', join(folder, 'mine.env')],
    ['write', join(folder, 'elsewhere')],
    ['write', join(folder, 'logs/other/other.log')],
    ['write', join(folder, 'state/other.usage.sqlite')],
    ['write', join(folder, 'hooks/probe.mjs')],
    ['remove', join(folder, 'mine.env')],
    ['link', join(folder, 'logs/mine/link')],
    ['spawn', 'true'],
    ['inspect', ''],
    ['report', join(folder, 'report.json')],
  ];
}

function makeFilesOfOthers(folder: string): void {
  for (const path of ['other.env', 'state/run/other.settings.json', 'logs/other/other.log']) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), 'of another');
  }
}

const programs: [string, readonly string[]][] = [
  ['the executable', [EXECUTABLE]],
  ['the bundle under Node', [process.execPath, join(DIST, 'main.cjs')]],
];

test.each(programs)('in %s nothing is allowed that an instance does not need', async (_name, command) => {
  const folder = makeFolder();
  makeFilesOfOthers(folder);
  const probes = forbidden(folder);
  const hooks = writeProbeHook(join(folder, 'hooks'), [...probes, ['load', join(folder, 'native.node')]]);
  const started = await start(folder, ['PROVIDER=demo', `HOOKS_FILE=${hooks}`], { command });
  expect(await outcomesOf(started, probes)).toEqual(every(probes, 'ERR_ACCESS_DENIED'));
  const native: Probe = ['load', join(folder, 'native.node')];
  expect(await outcomesOf(started, [...probes, native])).toMatchObject(every([native], 'ERR_DLOPEN_DISABLED'));
  expect(readFileSync(join(folder, 'other.env'), 'utf8')).toBe('of another');
  expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  expect(started.output()).not.toContain('Warning');
});

test('what an instance needs is allowed, in a folder of any name too', async () => {
  const folder = makeFolder('a "quoted", folder of mine');
  const probes: Probe[] = [
    ['read', join(folder, 'mine.env')],
    ['read', join(folder, 'hooks/probe.mjs')],
    ['list', join(folder, 'logs/mine')],
    ['write', join(folder, 'logs/mine/more.log')],
    ['remove', join(folder, 'logs/mine/more.log')],
    ['database', join(folder, 'state/mine.usage.sqlite')],
    ['write', join(folder, 'state/mine.calibration.json.1.new')],
    ['write', join(folder, 'console.log')],
  ];
  const hooks = writeProbeHook(join(folder, 'hooks'), probes);
  const started = await start(folder, ['PROVIDER=demo', `HOOKS_FILE='${hooks}'`], {
    environment: { pm_out_log_path: join(folder, 'console.log') },
  });
  expect(await outcomesOf(started, probes)).toEqual(every(probes, 'done'));
  const health = JSON.parse((await call(`${started.url}/health`)).text);
  expect(health).toMatchObject({ log: { healthy: true }, usage: { healthy: true } });
});

test('D3 the file into which PM2 writes the output, and the folder it made, become the owner’s alone', async () => {
  const folder = makeFolder();
  const logs = join(folder, 'logs/mine');
  mkdirSync(logs, { recursive: true, mode: 0o755 });
  const consoleFile = join(logs, 'console.log');
  writeFileSync(consoleFile, 'x'.repeat(1_000_001), { mode: 0o644 });
  await start(folder, ['PROVIDER=demo'], { environment: { pm_out_log_path: consoleFile } });
  const { mode, size } = statSync(consoleFile);
  expect([mode & 0o777, size, statSync(logs).mode & 0o777]).toEqual([0o600, 0, 0o700]);
});

test.runIf(process.platform === 'linux').each(programs)(
  'P14 a crash of %s leaves no core file, which would hold the keys, whatever the limit was',
  async (_name, command) => {
    const folder = makeFolder();
    const shell = ['/bin/sh', '-c', 'ulimit -c unlimited 2>/dev/null; exec "$0" "$@"'];
    const { pid, output } = await start(folder, ['PROVIDER=demo'], { command: [...shell, ...command] });
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0 /m);
    process.kill(pid, 'SIGABRT');
    await waitUntil('it has ended', async () => !existsSync(`/proc/${pid}/cwd`));
    expect(readdirSync(folder).filter((name) => name.startsWith('core'))).toEqual([]);
    expect(output()).not.toContain('core dumped');
  },
);

test('F1 in a folder whose name holds a wildcard it does not start, and says why', async () => {
  const refused = start(makeFolder('a*b'), ['PROVIDER=demo']);
  await expect(refused).rejects.toThrow(/a\*b.*holds a "\*".*Rename it, or set PERMISSION_MODEL=off in .*mine\.env/);
  const started = await start(makeFolder('c*d'), ['PROVIDER=demo', 'PERMISSION_MODEL=off']);
  expect((await call(`${started.url}/health`)).status).toBe(200);
});

test('F1 a comma in a folder’s name stands for itself', async () => {
  const folder = makeFolder('mine,other');
  const other = join(folder, '../mine');
  mkdirSync(other);
  writeFileSync(join(other, 'other.env'), 'of another');
  const probes: Probe[] = [['read', join(other, 'other.env')]];
  const started = await start(folder, [
    'PROVIDER=demo',
    `HOOKS_FILE='${writeProbeHook(join(folder, 'hooks'), probes)}'`,
  ]);
  expect(await outcomesOf(started, probes)).toEqual(every(probes, 'ERR_ACCESS_DENIED'));
});

test('PERMISSION_MODEL=off leaves all rights, without a second start', async () => {
  const folder = makeFolder();
  makeFilesOfOthers(folder);
  const probes = forbidden(folder).filter(([deed]) => ['read', 'list', 'spawn'].includes(deed));
  const hooks = writeProbeHook(join(folder, 'hooks'), probes);
  const started = await start(folder, ['PROVIDER=demo', 'PERMISSION_MODEL=off', `HOOKS_FILE=${hooks}`]);
  expect(await outcomesOf(started, probes)).toEqual(every(probes, 'done'));
});

test('beside env files, hooks may read their own file alone', async () => {
  const folder = makeFolder();
  makeFilesOfOthers(folder);
  const source = `
    import { readFileSync } from 'node:fs';
    const code = (path) => { try { readFileSync(path); return 'done'; } catch (error) { return error.code; } };
    export const response = (message) => ({ ...message, content: [{ type: 'text', text: JSON.stringify([
      code(${JSON.stringify(join(folder, 'other.env'))}), code(${JSON.stringify(join(folder, 'hooks.mjs'))})]) }] });`;
  writeFileSync(join(folder, 'hooks.mjs'), source);
  const started = await start(folder, ['PROVIDER=demo', `HOOKS_FILE=${join(folder, 'hooks.mjs')}`]);
  expect(
    Object.values(
      await outcomesOf(started, [
        ['read', 'other'],
        ['read', 'own'],
      ]),
    ),
  ).toEqual(['ERR_ACCESS_DENIED', 'done']);
});

test.runIf(process.platform === 'linux')('without hooks no thread can be started', async () => {
  const folder = makeFolder();
  const { pid } = await start(folder, ['PROVIDER=demo']);
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  expect(words).toContain('--permission');
  expect(words).not.toMatch(/--allow-(?:worker|child-process|addons|wasi|ffi|inspector)/);
});

test.runIf(process.platform === 'linux')('once it listens, no other process can be looked at', async () => {
  const started = await start(makeFolder(), ['PROVIDER=demo']);
  started.edit('PRICES_FILE=/proc/1/status\n');
  await waitUntil('it is reported', async () => started.output().includes('PRICES_FILE'));
  expect(started.output()).toContain('the file "/proc/1/status", which cannot be read (not before a restart)');
});

test('a file that an edit names for the first time is read after a restart, and the message says so', async () => {
  const folder = makeFolder();
  const prices = join(makeFolder(), 'prices.yaml');
  writeFileSync(prices, 'demo-big: { input: 1, output: 2 }\n');
  const started = await start(folder, ['PROVIDER=demo']);
  started.edit(`PRICES_FILE=${prices}\n`);
  await waitUntil('it is reported', async () => started.output().includes('PRICES_FILE'));
  expect(started.output()).toContain(`the file "${prices}", which cannot be read (not before a restart)`);
  expect((await call(`${started.url}/v1/messages`, message('claude-opus-5'))).status).toBe(200);
});

test('a provider with a certificate of one’s own authority is reached, NODE_EXTRA_CA_CERTS and all', async () => {
  const folder = makeFolder();
  const certificate = createCertificate('localhost');
  writeFileSync(join(folder, 'authority.pem'), certificate.cert);
  const answer = JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });
  const provider = createServer(certificate, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  onTestFinished(() => {
    provider.closeAllConnections();
    provider.close();
  });
  const address = `https://localhost:${(provider.address() as AddressInfo).port}/v1`;
  const lines = ['PROVIDER=openai', `OPENAI_BASE_URL=${address}`, 'OPENAI_API_KEY=sk-of-this-test', 'BIG_MODEL=x'];
  const started = await start(folder, lines, {
    environment: { NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') },
  });
  const { status, text } = await call(`${started.url}/v1/messages`, message('claude-opus-5'));
  expect([status, JSON.parse(text).content[0].text]).toEqual([200, 'fine']);
});

test('NODE_OPTIONS of the caller does not reach the executable', async () => {
  const folder = makeFolder();
  const started = await start(folder, ['PROVIDER=demo'], { environment: { NODE_OPTIONS: '--no-such-option' } });
  expect((await call(`${started.url}/health`)).status).toBe(200);
});

test('a catalogue that comes while a restricted instance runs is used, and a broken one is not', async () => {
  const folder = makeFolder();
  const instance = await start(folder, ['PROVIDER=kimi', 'OPENAI_API_KEY=key-of-nobody', 'BIG_MODEL=kimi-k3']);
  const hash = async () => JSON.parse((await call(`${instance.url}/health`)).text).config_hash;
  const before = await hash();
  const text = JSON.stringify({
    schema: 1,
    date: '2027-01-15',
    source: 'file',
    providers: { moonshotai: { 'kimi-k3': { contextWindow: 900_000 } } },
  });
  writeFileSync(join(folder, 'state', 'catalogue.json'), text);
  await waitUntil('it is taken over', async () => (await hash()) !== before);
  writeFileSync(join(folder, 'state', 'catalogue.json'), text.slice(0, 40));
  await waitUntil('the presets hold again', async () => (await hash()) === before);
  expect(instance.output()).toMatch(/catalogue: found no catalogue of models/);
});
