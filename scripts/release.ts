import './build/pinnedNode.cjs';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PLATFORM } from '../src/cli/buildStamp.ts';
import { executablePath } from '../src/host/workers.ts';
import { bundleManager } from './build/bundler.ts';
import { build } from './build.ts';

const run = promisify(execFile);

const NAME = 'claude-code-proxy';

/** The platforms with an executable, in npm's words. The executables of Linux need glibc, as the Node in them does. */
const platforms: Readonly<Record<string, { readonly os: string; readonly cpu: string; readonly libc?: string }>> = {
  'linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64' },
  'darwin-x64': { os: 'darwin', cpu: 'x64' },
  'win32-x64': { os: 'win32', cpu: 'x64' },
};

/** The oldest Node on which the manager runs: the first with SQLite built in and switched on. */
const OLDEST_NODE = [22, 13] as const;

/** The pages for those who use it, of docs/; the others are about the sources. */
const pages = [
  ...['COMMANDS', 'COMPANY-NETWORK', 'ENVIRONMENT', 'ERRORS', 'HOOKS', 'INSTALL', 'MIGRATION', 'PROVIDERS', 'ROUTING'],
  ...['SECURITY', 'TROUBLESHOOTING'],
].map((name) => `${name}.md`);

/**
 * What the commands begin with. In the words of any Node there is, as it has to say that one is too old. Node before 26 announces SQLite
 * as an experiment, which is no news for who calls a command.
 */
const starter = `#!/usr/bin/env node
'use strict';
var version = process.versions.node.split('.').map(Number);
if (version[0] < ${OLDEST_NODE[0]} || (version[0] === ${OLDEST_NODE[0]} && version[1] < ${OLDEST_NODE[1]})) {
  process.stderr.write('${NAME} needs Node.js ${OLDEST_NODE.join('.')} or newer, and ' + process.execPath + ' is ' + process.version + '; install a newer one from https://nodejs.org\\n');
  process.exit(1);
}
var emitWarning = process.emitWarning;
process.emitWarning = function (warning, type) {
  if (type !== 'ExperimentalWarning') emitWarning.apply(process, arguments);
};
require('../dist/manager.cjs');
`;

/** Where the sources are, by GitHub's words for its workflows: npm compares it with what the provenance says. */
function describeRepository(): { repository?: { type: string; url: string } } {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  return server === undefined || name === undefined
    ? {}
    : { repository: { type: 'git', url: `git+${server}/${name}.git` } };
}

interface Manifest {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** The package that people install: the manager, without an executable. */
async function makeMainPackage(root: string, folder: string, manifest: Manifest): Promise<void> {
  const { version, description, license, dependencies } = manifest;
  for (const name of ['bin', 'dist', 'docs', 'envs', 'scripts']) await mkdir(join(folder, name), { recursive: true });
  const program = `bin/${NAME}.cjs`;
  await writeFile(join(folder, program), starter, { mode: 0o755 });
  await cp(join(root, 'dist', 'manager.cjs'), join(folder, 'dist', 'manager.cjs'));
  const page = join(root, 'dist', 'page');
  if (existsSync(page)) await cp(page, join(folder, 'dist', 'page'), { recursive: true });
  await bundleManager(root, join(folder, 'scripts', 'statusline.cjs'), 'statusline.cjs');
  for (const name of ['ecosystem.config.cjs', 'README.md', 'LICENSE', 'CHANGELOG.md'])
    await cp(join(root, name), join(folder, name));
  for (const name of pages) await cp(join(root, 'docs', name), join(folder, 'docs', name));
  await cp(join(root, 'docs', 'providers'), join(folder, 'docs', 'providers'), { recursive: true });
  const examples = (await readdir(join(root, 'envs'))).filter((name) => name.endsWith('.example'));
  for (const name of examples) await cp(join(root, 'envs', name), join(folder, 'envs', name));
  await writeJson(join(folder, 'package.json'), {
    name: NAME,
    version,
    description,
    license,
    ...describeRepository(),
    keywords: ['claude-code', 'proxy', 'anthropic', 'openai', 'llm'],
    bin: { [NAME]: program, ccp: program },
    engines: { node: `>=${OLDEST_NODE.join('.')}` },
    dependencies: { pm2: dependencies['pm2'] },
    optionalDependencies: Object.fromEntries(Object.keys(platforms).map((name) => [`${NAME}-${name}`, version])),
  });
}

/** The package with the executable for the platform of this machine. */
async function makePlatformPackage(root: string, folder: string, manifest: Manifest): Promise<void> {
  const { version, license } = manifest;
  const platform = platforms[PLATFORM];
  if (platform === undefined) throw new Error(`There is no package for ${PLATFORM}.`);
  const executable = executablePath(root);
  if ((await stat(executable)).size < 1e6) throw new Error(`${executable} is no executable that stands alone.`);
  const { os, cpu, libc } = platform;
  await mkdir(folder, { recursive: true });
  await cp(executable, join(folder, basename(executable)));
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const stamp = JSON.parse(await readFile(join(root, 'dist', 'build.json'), 'utf8'));
  await writeJson(join(folder, 'build.json'), { ...stamp, version });
  await writeFile(
    join(folder, 'README.md'),
    `The executable of ${NAME} for ${PLATFORM}, which that package installs.\n`,
  );
  await writeJson(join(folder, 'package.json'), {
    name: `${NAME}-${PLATFORM}`,
    version,
    description: `The executable of ${NAME} for ${PLATFORM}`,
    license,
    ...describeRepository(),
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    preferUnplugged: true,
  });
}

/**
 * Makes npm's packages in `output`: the main one and that of this platform, each as a folder and as a tarball. The executables of other
 * platforms have to be made there.
 * @param version of both packages; that of package.json when absent
 * @returns the tarballs, the main one first
 * @throws when a step fails
 */
export async function makePackages(root: string, output: string, version?: string): Promise<string[]> {
  const own: Manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = version === undefined ? own : { ...own, version };
  await mkdir(output, { recursive: true });
  const work = await mkdtemp(join(output, 'new-'));
  try {
    const folders = [join(work, NAME), join(work, `${NAME}-${PLATFORM}`)] as const;
    await makeMainPackage(root, folders[0], manifest);
    await makePlatformPackage(root, folders[1], manifest);
    const tarballs: string[] = [];
    for (const folder of folders) {
      const place = join(output, basename(folder));
      await rm(place, { recursive: true, force: true });
      await rename(folder, place);
      const words = ['pack', '--json', '--ignore-scripts', place];
      const { stdout } = await run('npm', words, { cwd: output, maxBuffer: 1e8, shell: process.platform === 'win32' });
      const report: unknown = JSON.parse(stdout);
      const [first] = Array.isArray(report) ? report : Object.values(report as object);
      tarballs.push(join(output, first.filename));
    }
    return tarballs;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    const root = resolve(import.meta.dirname, '..');
    const report = (line: string) => process.stdout.write(`${line}\n`);
    await build(root, report);
    for (const path of await makePackages(root, join(root, 'dist', 'release', 'npm')))
      report(`${path}  ${((await stat(path)).size / 1e6).toFixed(1)} MB`);
  } catch (error) {
    process.stderr.write(`claude-code-proxy: no release. ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
