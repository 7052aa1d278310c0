import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test, vi } from 'vitest';
import { makePackages } from '../../scripts/release/npmPackages.ts';
import { PLATFORM } from '../../src/cli/buildStamp.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const root = resolve(import.meta.dirname, '..', '..');
const { path: output, remove } = temporaryFolder();
const main = join(output, 'claude-code-proxy');
const platform = join(output, `claude-code-proxy-${PLATFORM}`);
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

let tarballs: string[];
beforeAll(async () => {
  vi.stubEnv('GITHUB_SERVER_URL', 'https://github.example');
  vi.stubEnv('GITHUB_REPOSITORY', 'somebody/proxy');
  tarballs = await makePackages(root, output);
  return remove;
});

/** What npm would publish of a folder. */
function listing(folder: string): string[] {
  const report = execFileSync('npm', ['pack', '--dry-run', '--json', folder], { encoding: 'utf8' });
  const parsed = JSON.parse(report);
  const [first] = Array.isArray(parsed) ? parsed : Object.values<{ files: { path: string }[] }>(parsed);
  return first.files.map(({ path }: { path: string }) => path).sort();
}

test('the main package holds the manager and pages, and nothing of the sources, tests or tools', () => {
  const files = listing(main);
  const pages = ['docs/providers', 'dist/page'].flatMap((folder) =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [],
  );
  expect(files.filter((path) => !pages.includes(path))).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'THIRD-PARTY-LICENSES',
    'bin/claude-code-proxy.cjs',
    'dist/manager.cjs',
    'docs/COMMANDS.md',
    'docs/COMPANY-NETWORK.md',
    'docs/ENVIRONMENT.md',
    'docs/ERRORS.md',
    'docs/HOOKS.md',
    'docs/INSTALL.md',
    'docs/MIGRATION.md',
    'docs/PROVIDERS.md',
    'docs/ROUTING.md',
    'docs/SECURITY.md',
    'docs/TROUBLESHOOTING.md',
    'ecosystem.config.cjs',
    ...readdirSync(join(root, 'envs'))
      .filter((name) => name.endsWith('.example'))
      .map((name) => `envs/${name}`)
      .sort(),
    'package.json',
    'scripts/statusline.cjs',
  ]);
  expect(pages.filter((path) => files.includes(path))).toEqual(pages);
});

test('the package of a platform holds the executable', () => {
  expect(listing(platform)).toEqual([
    'LICENSE',
    'README.md',
    'THIRD-PARTY-LICENSES',
    'build.json',
    'claude-code-proxy',
    'package.json',
  ]);
  expect(statSync(join(platform, 'claude-code-proxy')).mode & 0o111).toBe(0o111);
});

test('nothing names the machine that made it', () => {
  const texts = readdirSync(main, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const naming = texts.filter((path) => readFileSync(path, 'utf8').includes(root));
  expect(naming.map((path) => relative(main, path))).toEqual([]);
});

test('one version everywhere, exact dependencies, and no script', () => {
  const manifest = manifestOf(main);
  const names = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'];
  expect(manifest).toMatchObject({
    name: 'claude-code-proxy',
    version: own.version,
    bin: { 'claude-code-proxy': 'bin/claude-code-proxy.cjs', ccp: 'bin/claude-code-proxy.cjs' },
    engines: { node: '>=22.13' },
    dependencies: { pm2: own.dependencies.pm2 },
    optionalDependencies: Object.fromEntries(names.map((name) => [`claude-code-proxy-${name}`, own.version])),
  });
  const [os, cpu] = PLATFORM.split('-');
  expect(manifestOf(platform)).toMatchObject({
    name: `claude-code-proxy-${PLATFORM}`,
    version: own.version,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' ? { libc: ['glibc'] } : {}),
  });
  for (const { scripts, private: isPrivate } of [manifest, manifestOf(platform)])
    expect([scripts, isPrivate]).toEqual([undefined, undefined]);
});

test('made by a workflow of GitHub they name its repository, with which npm compares the provenance', () => {
  const repository = { type: 'git', url: 'git+https://github.example/somebody/proxy.git' };
  expect([manifestOf(main).repository, manifestOf(platform).repository]).toEqual([repository, repository]);
});

test('the tarballs are small enough, and made again they are the same, byte for byte', async () => {
  const [ofMain = '', ofPlatform = ''] = tarballs;
  const before = tarballs.map((path) => readFileSync(path));
  console.info(`packages: ${before.map(({ length }) => `${(length / 1e6).toFixed(1)} MB`).join(' and ')}`);
  expect(statSync(ofMain).size).toBeLessThan(1e6);
  expect(statSync(ofPlatform).size).toBeLessThan(60e6);
  await makePackages(root, output);
  expect(tarballs.map((path, index) => readFileSync(path).equals(before[index] ?? Buffer.alloc(0)))).toEqual([
    true,
    true,
  ]);
});

test.each([
  ['20.20.2', false],
  ['22.12.0', false],
  ['22.13.0', true],
  ['26.10.0', true],
])('on Node %s the command starts: %s', (node, starts) => {
  const text = readFileSync(join(main, 'bin', 'claude-code-proxy.cjs'), 'utf8').replace(/^#!.*/, '');
  const loaded: string[] = [];
  let complaint = '';
  const ended = new Error('ended');
  const fake = {
    versions: { node },
    version: `v${node}`,
    execPath: '/usr/bin/node',
    stderr: {
      write: (words: string) => {
        complaint += words;
      },
    },
    emitWarning: () => {},
    exit: (code: number) => {
      loaded.push(`exit ${code}`);
      throw ended;
    },
  };
  const load = () => runInNewContext(text, { process: fake, require: (name: string) => void loaded.push(name) });
  if (starts) load();
  else expect(load).toThrow(ended);
  expect(loaded).toEqual([starts ? '../dist/manager.cjs' : 'exit 1']);
  expect(complaint.trimEnd().split('\n')).toEqual([
    starts ? '' : expect.stringMatching(/^claude-code-proxy needs Node.js 22.13 or newer, and \/usr\/bin\/node is v2/),
  ]);
});
