import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from '../../../../scripts/build/build.ts';
import { writeWrapper } from '../../../../scripts/build/executable.ts';
import { executablePath, readStamp, SOURCES } from '../../../../scripts/build/stamp.ts';

let root = '';

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function writeMain(word: string): void {
  write('src/main.ts', `console.log('${word}', __VERSION__, process.argv.slice(2)); process.stdin.resume();`);
}

async function buildLines(): Promise<string[]> {
  const lines: string[] = [];
  await build(root, (line) => lines.push(line));
  return lines;
}

function runExecutable(environment: NodeJS.ProcessEnv = {}): string {
  return execFileSync(executablePath(root), ['--env', 'x'], { input: '', encoding: 'utf8', env: environment });
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'build-'));
  for (const source of SOURCES) write(source.includes('.') ? source : `${source}/file.ts`, '');
  write('package.json', '{"version":"1.2.3"}');
  writeMain('one');
  write('dist/new-interrupted/node', '');
  utimesSync(join(root, 'dist/new-interrupted'), 1, 1);
  await buildLines();
});
afterAll(() => rmSync(root, { recursive: true }));

test('the executable needs no Node of the machine and takes no NODE_OPTIONS', () => {
  expect(runExecutable({ NODE_OPTIONS: '--require /no/such/file' })).toBe("one 1.2.3 [ '--env', 'x' ]\n");
});

test('nothing but the bundle, the executable and the stamp stays behind', async () => {
  expect(readdirSync(join(root, 'dist')).sort()).toEqual(['build.json', 'claude-code-proxy', 'main.cjs']);
  expect(statSync(executablePath(root)).mode & 0o777).toBe(0o755);
  expect(await readStamp(root)).toMatchObject({ version: '1.2.3' });
});

test('unchanged sources are not built again, but the stamp is dated, so that the launcher sees it', async () => {
  const before = statSync(executablePath(root)).ino;
  utimesSync(join(root, 'dist/build.json'), 1, 1);
  expect(await buildLines()).toEqual(['dist/claude-code-proxy is up to date']);
  expect(statSync(executablePath(root)).ino).toBe(before);
  expect(statSync(join(root, 'dist/build.json')).mtimeMs).toBeGreaterThan(1000);
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
