import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readEntries, tarZst, zip } from '../../scripts/release/archives.ts';
import { type ExecutableFolders, makeExecutables } from '../../scripts/release/executables.ts';
import { findNode } from '../../scripts/release/platforms.ts';
import { packRelease } from '../../scripts/release.ts';
import { PLATFORM } from '../../src/cli/buildStamp.ts';
import { freePort, run } from '../cli/temporaryProject.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const root = resolve(import.meta.dirname, '..', '..');
const { path: base, remove } = temporaryFolder();
const output = join(base, 'release');
const TIME = new Date('2026-11-30T00:00:00Z');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const title = `claude-code-proxy-${version}-${PLATFORM}`;
const isThere = (program: string) => spawnSync(program, ['--version']).error === undefined;
const environment = (more: Record<string, string> = {}) => ({ PATH: process.env['PATH'] ?? '', ...more });

let files: string[];
beforeAll(async () => {
  // As small as can be, since it is compressed five times; the real one is in the packages for npm and Debian.
  const folder = join(base, 'executable');
  mkdirSync(folder);
  writeFileSync(join(folder, 'claude-code-proxy'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'build.json'), '{}');
  files = await packRelease(root, output, { [PLATFORM]: folder }, TIME, '', () => {});
  return remove;
});

test('the archives hold the executable, examples of env files, a page and all licences', async () => {
  const folder = join(base, 'unpacked');
  mkdirSync(folder);
  execFileSync('tar', ['--zstd', '-xf', join(output, `${title}.tar.zst`), '-C', folder]);
  expect(readdirSync(join(folder, title)).sort()).toEqual([
    'LICENSE',
    'README.md',
    'THIRD-PARTY-LICENSES',
    'claude-code-proxy',
    'envs',
  ]);
  expect(readdirSync(join(folder, title, 'envs'))).toContain('demo.env.example');
  const program = join(folder, title, 'claude-code-proxy');
  expect(execFileSync(program, ['--version'], { encoding: 'utf8' })).toBe(`${version}\n`);
  const licences = readFileSync(join(folder, title, 'THIRD-PARTY-LICENSES'), 'utf8');
  for (const part of [
    'fastify 5',
    'undici 8',
    'zod 4',
    'preact 1',
    'Node.js\n',
    'OpenSSL',
    'Permission is hereby granted',
  ])
    expect(licences).toContain(part);
  const other = join(base, 'unzipped');
  execFileSync('unzip', ['-q', join(output, `${title}.zip`), '-d', other]);
  const [ofTar, ofZip] = await Promise.all([readEntries(folder), readEntries(other)]);
  expect(ofZip.map(({ name, isExecutable }) => [name, isExecutable])).toEqual(
    ofTar.map(({ name, isExecutable }) => [name, isExecutable]),
  );
  expect(ofZip.every(({ content }, index) => content.equals(ofTar[index]?.content ?? Buffer.alloc(0)))).toBe(true);
});

test('SHA256SUMS names every file, and the bill of materials is one', () => {
  const folder = join(base, 'flat');
  mkdirSync(folder);
  for (const path of files) writeFileSync(join(folder, basename(path)), readFileSync(path));
  const checked = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
  expect(checked.trim().split('\n').sort()).toEqual(
    files
      .slice(0, -1)
      .map((path) => `${basename(path)}: OK`)
      .sort(),
  );
  const bill = JSON.parse(readFileSync(join(output, `claude-code-proxy-${version}.cdx.json`), 'utf8'));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { timestamp: TIME.toISOString() } });
  expect(bill.serialNumber).toBeUndefined();
});

test('the same files give the same archives, and another time others', async () => {
  const entries = [
    { name: 'a/program', content: Buffer.from('x'.repeat(1000)), isExecutable: true },
    { name: 'a/text', content: Buffer.alloc(0), isExecutable: false },
  ];
  for (const make of [tarZst, zip]) {
    expect(make(entries, TIME).equals(make(entries, TIME))).toBe(true);
    expect(make(entries, TIME).equals(make(entries, new Date(0)))).toBe(false);
  }
  expect(() => tarZst([{ name: 'n'.repeat(101), content: Buffer.alloc(0), isExecutable: false }], TIME)).toThrow(
    'too long a name',
  );
});

/** The executables of other platforms; a word instead when their Node cannot be downloaded. */
let others: Promise<ExecutableFolders | string> | undefined;
function makeOthers(): Promise<ExecutableFolders | string> {
  const names = ['linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'];
  others ??= Promise.all(names.map((name) => findNode(root, name))).then(
    () => makeExecutables(root, join(base, 'others'), names, TIME),
    (error: Error) => error.message,
  );
  return others;
}

/** What `file` would say: the kind of executable, and its processor. */
function kindOf(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.readUInt32BE(0) === 0x7f454c46) return `ELF ${bytes.readUInt16LE(18).toString(16)}`;
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return `Mach-O ${bytes.readUInt32LE(4).toString(16)}`;
  const at = bytes.readUInt32LE(0x3c);
  return `${bytes.toString('latin1', at, at + 2)} ${bytes.readUInt16LE(at + 4).toString(16)}`;
}

test('the executables of other platforms are made here, with the bundle in them', async ({ skip }) => {
  const made = await makeOthers();
  if (typeof made === 'string') return skip(made);
  const kinds = { 'linux-arm64': 'ELF b7', 'darwin-arm64': 'Mach-O 100000c', 'win32-x64': 'PE 8664' };
  for (const [platform, kind] of Object.entries(kinds)) {
    const folder = made[platform] ?? '';
    const [program = ''] = readdirSync(folder).filter((name) => name.startsWith('claude-code-proxy'));
    expect(kindOf(join(folder, program))).toBe(kind);
    expect(readFileSync(join(folder, program)).includes('(function (exports, require, module) {')).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, 'build.json'), 'utf8'))).toMatchObject({ platform, version });
  }
  // Which Node cannot be packed for: it lies beside the bundle.
  const intel = made['darwin-x64'] ?? '';
  expect(kindOf(join(intel, 'node'))).toBe('Mach-O 1000007');
  expect(readdirSync(intel)).toEqual(expect.arrayContaining(['claude-code-proxy', 'instance.cjs', 'main.cjs']));
  const again = await makeExecutables(root, join(base, 'again'), ['linux-arm64'], TIME);
  for (const name of ['claude-code-proxy', 'build.json']) {
    const [first, second] = [made, again].map((all) => readFileSync(join(all['linux-arm64'] ?? '', name)));
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  }
});

const SYSROOT = '/usr/aarch64-linux-gnu';
test('the executable for arm64 answers a request', async ({ skip }) => {
  const emulator = ['qemu-aarch64-static', 'qemu-aarch64'].find(isThere);
  if (emulator === undefined || !existsSync(join(SYSROOT, 'lib/libatomic.so.1')))
    return skip('qemu-user-static, or libstdc++6-arm64-cross and libatomic1-arm64-cross, are not installed');
  const made = await makeOthers();
  if (typeof made === 'string') return skip(made);
  const port = await freePort();
  const file = join(base, 'arm.env');
  // Without binfmt the emulated process cannot execute itself again, which the permission model needs.
  writeFileSync(
    file,
    `PROVIDER=demo\nPORT=${port}\nPERMISSION_MODEL=off\nLOG_DIR='${base}/arm'\nSTATE_DIR='${base}/arm'\n`,
    {
      mode: 0o600,
    },
  );
  const words = ['-L', SYSROOT, join(made['linux-arm64'] ?? '', 'claude-code-proxy'), '--env', file];
  const child = spawn(emulator, words, { env: environment(), stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    if (child.kill()) await ended;
  });
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'claude-sonnet-4-5',
        max_tokens: 50,
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
      }),
    });
  await waitUntil('it listens', () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  expect(await (await ask()).text()).toContain('event: message_stop');
});

/** A server of the release's files, of which the archives are changed on the way when asked. */
async function serveFiles(isChanged: boolean): Promise<string> {
  const server = createServer((request, response) => {
    const path = join(output, basename(request.url ?? ''));
    if (!existsSync(path) || statSync(path).isDirectory()) return void response.writeHead(404).end();
    const bytes = readFileSync(path);
    if (isChanged && !path.endsWith('SHA256SUMS')) bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const installer = join(root, 'deploy', 'install.sh');
const install = (home: string, more: Record<string, string>) =>
  run('sh', [installer], base, environment({ HOME: home, ...more }));

test('install.sh installs for the user alone, again too', async () => {
  const home = join(base, 'home');
  const release = await serveFiles(false);
  for (const _ of ['first', 'again']) {
    const { code, stdout, stderr } = await install(home, { CCP_RELEASE: release });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${home}/.local/bin is not on PATH.`);
  }
  expect(readdirSync(home)).toEqual(['.local']);
  expect(readdirSync(join(home, '.local/share/claude-code-proxy'))).toEqual([title]);
  const installed = await run(join(home, '.local/bin/claude-code-proxy'), ['--version'], base, {});
  expect(installed.stdout).toBe(`${version}\n`);
});

test('install.sh refuses an archive that is not what SHA256SUMS names, and says what else is wrong', async () => {
  const home = join(base, 'refused');
  const changed = await install(home, { CCP_RELEASE: await serveFiles(true) });
  expect([changed.code, changed.stderr]).toEqual([
    1,
    `install.sh: ${title}.tar.zst is not what SHA256SUMS names; nothing was installed\n`,
  ]);
  expect(readdirSync(join(home, '.local/share/claude-code-proxy'))).toEqual([]);
  expect(readdirSync(join(home, '.local/bin'))).toEqual([]);
  expect((await install(home, {})).stderr).toBe(
    'install.sh: set CCP_RELEASE to the address where the files of the release are\n',
  );
  const closed = `http://127.0.0.1:${await freePort()}`;
  expect((await install(home, { CCP_RELEASE: closed })).stderr).toContain(`${closed}/SHA256SUMS cannot be downloaded`);
});

test('the scripts for users are what ShellCheck recommends', ({ skip }) => {
  if (!isThere('shellcheck')) return skip('shellcheck is not installed');
  const scripts = ['ccp', 'postinst', 'prerm', 'postrm'].map((name) => join(root, 'deploy', 'debian', name));
  const { stdout, status } = spawnSync('shellcheck', [installer, ...scripts], { encoding: 'utf8' });
  expect([stdout, status]).toEqual(['', 0]);
});
