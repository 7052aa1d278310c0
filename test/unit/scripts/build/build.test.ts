import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeWrapper } from '../../../../scripts/build/executable.ts';
import { build } from '../../../../scripts/build.ts';
import { readStamp, SOURCES } from '../../../../src/cli/buildStamp.ts';
import { executablePath } from '../../../../src/host/workers.ts';
import { lookIntoStart, type StartLook } from '../../../helpers/startLook.ts';

let root = '';

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** A program that serves whatever env file there is, as the build tries it, and else says what it was given. */
function writeMain(word: string): void {
  write(
    'src/main.ts',
    `import { existsSync } from 'node:fs';
     import('./later.ts').then(({ serve, print }) => {
       if (existsSync(process.argv[3] ?? '')) serve();
       else print('${word}', __VERSION__, process.argv.slice(2));
     });`,
  );
  write(
    'src/later.ts',
    `import { createServer } from 'node:http';
     export const serve = () => createServer((_request, response) => response.end()).listen({ port: 80 });
     export const print = (...words: unknown[]) => {
       if (process.argv.includes('--fail')) throw new Error('as asked');
       console.log(...words);
       process.stdin.resume();
     };`,
  );
}

async function buildLines(): Promise<string[]> {
  const lines: string[] = [];
  await build(root, (line) => lines.push(line));
  return lines;
}

function runExecutable(environment: NodeJS.ProcessEnv = {}, words: readonly string[] = []): string {
  const options = { input: '', encoding: 'utf8', env: environment, stdio: 'pipe' } as const;
  return execFileSync(executablePath(root), [...words, '--env', 'x'], options);
}

function lookIntoExecutable(...options: readonly string[]): StartLook {
  const look = lookIntoStart(root);
  runExecutable({}, [`--node-options=${[look.option, ...options].join(' ')}`]);
  return look.read();
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'build-'));
  for (const source of SOURCES) write(source.includes('.') ? source : `${source}/file.ts`, '');
  write('package.json', '{"version":"1.2.3"}');
  write('scripts/manage.ts', "console.log('manager');");
  write('src/page/main.tsx', "document.title = 'page';");
  write('src/page/page.css', 'body { margin: 0 }');
  write('src/page/index.html', '<!doctype html>');
  writeMain('one');
  write('dist/new-interrupted/node', '');
  utimesSync(join(root, 'dist/new-interrupted'), 1, 1);
  await buildLines();
});
afterAll(() => rmSync(root, { recursive: true }));

test('the executable needs no Node of the machine and takes no NODE_OPTIONS', () => {
  expect(runExecutable({ NODE_OPTIONS: '--require /no/such/file' })).toBe("one 1.2.3 [ '--env', 'x' ]\n");
});

test('nothing but the bundles, the executable and the stamp stays behind', async () => {
  expect(readdirSync(join(root, 'dist')).sort()).toEqual([
    'build.json',
    'claude-code-proxy',
    'later.cjs',
    'main.cjs',
    'manager.cjs',
    'page',
  ]);
  expect(readdirSync(join(root, 'dist/page')).sort()).toEqual(['index.html', 'page.css', 'page.js']);
  expect(statSync(executablePath(root)).mode & 0o777).toBe(0o755);
  expect(await readStamp(root)).toMatchObject({ version: '1.2.3' });
});

test('an executable of unchanged sources is kept, but the stamp is dated, so that the launcher sees it', async () => {
  const before = statSync(executablePath(root)).ino;
  utimesSync(join(root, 'dist/build.json'), 1, 1);
  expect(await buildLines()).toContain('dist/claude-code-proxy is up to date');
  expect(statSync(executablePath(root)).ino).toBe(before);
  expect(statSync(join(root, 'dist/build.json')).mtimeMs).toBeGreaterThan(1000);
});

test('the manager and the page are bundled again although the executable is kept', async () => {
  write('src/page/main.tsx', "document.title = 'another page';");
  write('src/cli/main.ts', "console.log('another manager');");
  write('scripts/manage.ts', "import '../src/cli/main.ts';");
  expect(await buildLines()).toContain('dist/claude-code-proxy is up to date');
  expect(execFileSync(process.execPath, [join(root, 'dist/manager.cjs')], { encoding: 'utf8' })).toBe(
    'another manager\n',
  );
  expect(readFileSync(join(root, 'dist/page/page.js'), 'utf8')).toContain('another page');
});

test('a running executable is replaced without disturbing it, by two builds at the same time too', async () => {
  const running = spawn(executablePath(root), { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(running.stdout, 'data');
  writeMain('two');
  await Promise.all([buildLines(), buildLines()]);
  expect(runExecutable()).toMatch(/^two /);
  expect(running.exitCode).toBeNull();
  running.stdin.end();
  expect(await once(running, 'exit')).toEqual([0, null]);
});

test('what was compiled at the build is taken; without it the program runs as well', () => {
  expect(lookIntoExecutable()).toMatchObject({ rejected: { 'main.cjs': false, 'later.cjs': false } });
  const others = lookIntoExecutable('--no-opt'); // V8 takes no code that was compiled under other options
  expect(others).toMatchObject({ rejected: { 'main.cjs': true, 'later.cjs': true } });
});

test('options with which it begins anew are added to those that it has', () => {
  expect(lookIntoExecutable('--no-opt')).toMatchObject({
    options: expect.arrayContaining(['--max-semi-space-size=8', '--no-opt']),
  });
});

test('under its options Node still takes the compiled code of its own modules', () => {
  const { options } = lookIntoExecutable();
  const own = options.filter((option) => !option.startsWith('--require'));
  const count = `const { getCacheUsage } = require('internal/test/binding').internalBinding('builtins');
    console.log([...getCacheUsage().compiledWithoutCache].length);`;
  const run = (...more: string[]) =>
    Number(execFileSync(process.execPath, ['--no-warnings', '--expose-internals', ...own, ...more, '-e', count]));
  expect(run()).toBe(0);
  expect(run('--no-opt')).toBeGreaterThan(0);
});

test('an error names the functions that it came through', () => {
  expect(() => runExecutable({}, ['--fail'])).toThrow(/at print \(later\.cjs:\d+:\d+\)/);
});

test('a program that does not run is not packed, and the build says what it says', async () => {
  write('src/main.ts', "throw new Error('broken at the start');");
  await expect(buildLines()).rejects.toThrow(/does not run \(exit 1\)\.[\s\S]*broken at the start/);
  write(
    'src/main.ts',
    "import { createServer } from 'node:http'; createServer((_, response) => response.writeHead(500).end('sick')).listen({ port: 80 });",
  );
  await expect(buildLines()).rejects.toThrow('/health answers 500: sick');
  expect(runExecutable()).toMatch(/^two /);
});

test('a build that fails leaves the old executable and no rubbish', async () => {
  write('src/main.ts', "import 'no-such-package';");
  await expect(buildLines()).rejects.toThrow('no-such-package');
  expect(existsSync(executablePath(root))).toBe(true);
  expect(readdirSync(join(root, 'dist')).filter((name) => name.startsWith('new-'))).toEqual([]);
});

test('where Node cannot be packed, a wrapper runs the bundle with the pinned Node', async () => {
  write('node_modules/.bin/node', '#!/bin/sh\necho pinned "$@"\n');
  execFileSync('chmod', ['+x', join(root, 'node_modules/.bin/node')]);
  const wrapper = join(root, 'dist', 'wrapper');
  await writeWrapper(wrapper);
  expect(execFileSync(wrapper, ['--env', 'a b'], { encoding: 'utf8' })).toBe(
    `pinned ${join(root, 'dist')}/main.cjs --env a b\n`,
  );
});
