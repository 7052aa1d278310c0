import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const guard = resolve(import.meta.dirname, '../../../../scripts/build/pinnedNode.cjs');
const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const pinned = join('node_modules', packageName, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pinned-'));
  mkdirSync(dirname(join(root, pinned)), { recursive: true });
  cpSync(guard, join(root, 'scripts/build/pinnedNode.cjs'));
});
afterEach(() => rmSync(root, { recursive: true }));

function check(optionalDependencies: Record<string, string>): { status: number | null; stderr: string } {
  writeFileSync(join(root, 'package.json'), JSON.stringify({ optionalDependencies }));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build/pinnedNode.cjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('the pinned Node passes without a word', () => {
  symlinkSync(process.execPath, join(root, pinned));
  expect(check({ [packageName]: process.version.slice(1) })).toEqual({ status: 0, stderr: '' });
});

test.each<[string, () => void, Record<string, string>, string]>([
  ['left-out optional dependencies', () => {}, { [packageName]: '26.10.0' }, 'npm ci --include=optional'],
  ['another Node', () => writeFileSync(join(root, pinned), ''), { [packageName]: '26.10.0' }, 'through npm'],
  [
    'another version',
    () => symlinkSync(process.execPath, join(root, pinned)),
    { [packageName]: '1.0.0' },
    `${pinned} is ${process.version}, package.json wants v1.0.0`,
  ],
  ['a platform without a pinned Node', () => {}, {}, 'no pinned Node'],
])('%s: one line that says what to do, exit 1', (_name, prepare, dependencies, words) => {
  prepare();
  const { status, stderr } = check(dependencies);
  expect(status).toBe(1);
  expect(stderr).toContain(words);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
