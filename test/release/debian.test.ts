import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDebianPackage } from '../../scripts/release/debian.ts';
import { makeExecutables } from '../../scripts/release/executables.ts';
import { PLATFORM } from '../../src/cli/buildStamp.ts';
import { type Finished, run } from '../cli/temporaryProject.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const root = resolve(import.meta.dirname, '..', '..');
const { path: base, remove } = temporaryFolder();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const TIME = new Date('2026-11-30T00:00:00Z');
const machine = join(base, 'machine');
const NAME = 'claude-code-proxy';
const container = `ccp-debian-${process.pid}`;

const missing = ['dpkg-deb', 'podman', 'runc', 'debootstrap'].filter((name) => spawnSync(name, ['--version']).error);
/** Why no machine can be made here. */
let obstacle = missing.length > 0 ? `not installed: ${missing.join(', ')}` : '';
if (PLATFORM !== 'linux-x64' || process.getuid?.() !== 0) obstacle = 'it takes root on linux-x64';

let archive = '';
const podman = (...words: string[]) => run('podman', words, base, process.env as Record<string, string>);
const inside = (...words: string[]): Promise<Finished> => podman('exec', container, ...words);
const shell = (text: string) => inside('sh', '-c', text);

/** Runs a command of the machine, which has to succeed. */
async function does(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await inside(...words);
  expect(code, `${words.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** A Debian with systemd and the libraries that the package asks for, and nothing more. */
async function startMachine(): Promise<void> {
  const packages = 'systemd,systemd-sysv,dbus,libatomic1,libstdc++6';
  const words = ['--variant=minbase', `--include=${packages}`, 'bookworm', machine];
  const { code, stdout } = await run('debootstrap', words, base, process.env as Record<string, string>);
  if (code !== 0) {
    obstacle = `debootstrap cannot make a machine: ${stdout.trim().split('\n').at(-1)}`;
    return;
  }
  cpSync(archive, join(machine, 'root', basename(archive)));
  // The limits are lower than those of this machine, which may not be raised.
  const limits = ['--ulimit', 'nofile=10000:10000', '--ulimit', 'nproc=4096:4096'];
  const how = ['--runtime', 'runc', ...limits, '--systemd=always', '--network', 'none'];
  const started = await podman('run', '-d', '--name', container, ...how, '--rootfs', machine, '/sbin/init');
  if (started.code !== 0) obstacle = `podman cannot start a machine: ${started.stderr.trim().split('\n').at(-1)}`;
  else
    await waitUntil(
      'systemd runs',
      async () => (await inside('systemctl', 'is-system-running')).stdout === 'running\n',
    );
}

beforeAll(async () => {
  if (obstacle !== '') return console.info(`skipped: ${obstacle}`);
  const executables = await makeExecutables(root, join(base, 'executables'), [PLATFORM], TIME);
  const licences = 'in the test of the archives\n';
  const release = { root, output: base, version, time: TIME, licences };
  archive = (await makeDebianPackage(release, 'amd64', executables[PLATFORM] ?? '')) ?? '';
  await startMachine();
}, 600_000);

afterAll(async () => {
  if (archive !== '') await podman('rm', '-f', '-t', '0', container);
  remove();
});

test('lintian finds no error', async ({ skip }) => {
  if (archive === '') skip(obstacle);
  if (spawnSync('lintian', ['--version']).error) skip('lintian is not installed');
  const { stdout } = await run('lintian', ['--fail-on=none', archive], base, { PATH: process.env['PATH'] ?? '' });
  expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).toEqual([]);
});

const UNIT = `${NAME}@demo`;
const ENV_FILE = `/etc/${NAME}/demo.env`;
const writeEnvFile = (...lines: string[]) =>
  shell(`printf '%s\\n' ${lines.join(' ')} > ${ENV_FILE} && chown ${NAME} ${ENV_FILE} && chmod 600 ${ENV_FILE}`);

/** A request from inside, as the machine has no network; by the Node in the executable, as it has no other program that could. */
const ASK = `fetch('http://127.0.0.1:9001/v1/messages', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 50, stream: true, messages: [{ role: 'user', content: 'hi' }] }),
}).then((answer) => answer.text()).then((text) => process.stdout.write(text));`;

test('it is installed, and an instance starts as a user of its own, answers and keeps its logs', async ({ skip }) => {
  if (obstacle !== '') skip(obstacle);
  await does('dpkg', '--install', `/root/${basename(archive)}`);
  await writeEnvFile('PROVIDER=demo', 'PORT=9001');
  await does('systemctl', 'enable', '--now', UNIT);
  const executable = `/usr/bin/${NAME}`;
  await waitUntil(
    'it serves',
    async () => (await inside(executable, '--env', `/var/lib/${NAME}/envs/demo.env`, '--health')).code === 0,
  );
  writeFileSync(join(machine, 'root', 'ask.cjs'), ASK);
  expect(await does(executable, '--manager', '/root/ask.cjs')).toContain('event: message_stop');
  const pid = (await does('systemctl', 'show', '--value', '-p', 'MainPID', UNIT)).trim();
  const status = await does('cat', `/proc/${pid}/status`);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).not.toMatch(/^Uid:\t0\t/m);
  expect(await does('stat', '-c', '%U %a', `/var/log/${NAME}/demo/demo.log`)).toBe(`${NAME} 600\n`);
  expect(await does('journalctl', '-u', UNIT, '-o', 'cat')).toContain('listening on http://127.0.0.1:9001');
});

test('ccp reads it without PM2, without another Node, and leaves it to systemd', async ({ skip }) => {
  if (obstacle !== '') skip(obstacle);
  const { instances } = JSON.parse(await does('ccp', 'status', '--json'));
  expect(instances).toMatchObject([
    { name: 'demo', state: 'serving', condition: 'ready', supervised: true, port: 9001 },
  ]);
  const table = await does('ccp', 'status');
  expect(table).toMatch(/^demo +ready +9001/m);
  expect(table).not.toContain('PM2');
  expect(await inside('ccp', 'restart', 'demo')).toMatchObject({
    code: 1,
    stderr: `ccp: systemd runs the instances: systemctl restart ${UNIT}\n`,
  });
  const doctor = await inside('ccp', 'doctor');
  expect(doctor.stdout).not.toMatch(/PM2|^fail/m);
});

test('reload takes a right edit and names the mistake in a wrong one, while the instance serves on', async ({
  skip,
}) => {
  if (obstacle !== '') skip(obstacle);
  await does('systemctl', 'reload', UNIT);
  await writeEnvFile('PROVIDER=demo', 'PORT=nonsense');
  expect((await inside('systemctl', 'reload', UNIT)).code).toBe(1);
  expect(await does('journalctl', '-u', UNIT, '-o', 'cat')).toMatch(/demo\.env:2 +PORT +error: found "nonsense"/);
  expect(await does('systemctl', 'is-active', UNIT)).toBe('active\n');
  expect((await inside('ccp', 'doctor')).stdout).not.toContain('kill');
  await writeEnvFile('PROVIDER=demo', 'PORT=9001');
  await does('systemctl', 'reload', UNIT);
});

test('an update makes a new process; stop ends it, and purge leaves nothing', async ({ skip }) => {
  if (obstacle !== '') skip(obstacle);
  const pidOf = () => does('systemctl', 'show', '--value', '-p', 'MainPID', UNIT);
  const before = await pidOf();
  await does('dpkg', '--install', `/root/${basename(archive)}`);
  expect(await pidOf()).not.toBe(before);
  await does('systemctl', 'stop', UNIT);
  expect(await does('systemctl', 'show', '--value', '-p', 'Result', UNIT)).toBe('success\n');
  await does('systemctl', 'start', UNIT);
  await does('dpkg', '--purge', NAME);
  expect((await inside('systemctl', 'is-active', UNIT)).stdout).toBe('inactive\n');
  const left = await does(
    'find',
    '/etc',
    '/usr',
    '/var',
    '/lib',
    '-xdev',
    '-name',
    `*${NAME}*`,
    '-not',
    '-path',
    '*/deb-systemd*',
  );
  expect(left).toBe('');
  expect((await inside('getent', 'passwd', NAME)).code).toBe(2);
});
