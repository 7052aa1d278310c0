import { appendFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEnvFiles, describeIgnoredEnvFiles, findPortClashes } from '../../../../src/cli/supervisor/instances.ts';
import { readLinesSince, sizeOf, truncateWhenLarge } from '../../../../src/cli/supervisor/spawn.ts';
import { sampleInstance } from './sampleInstance.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'project-'));
  await mkdir(join(root, 'envs'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the first start', () => {
  beforeEach(async () => {
    for (const name of ['kimi', 'glm']) await writeFile(join(root, 'envs', `${name}.env.example`), `PORT=1 # ${name}`);
  });

  test('of all makes an env file from every example, for the owner only', async () => {
    expect(createEnvFiles(root, ['all'])).toEqual(['glm', 'kimi']);
    expect(await readFile(join(root, 'envs', 'kimi.env'), 'utf8')).toBe('PORT=1 # kimi');
    expect((await stat(join(root, 'envs', 'kimi.env'))).mode & 0o777).toBe(0o600);
  });

  test('of all makes nothing when there is an env file already', async () => {
    await writeFile(join(root, 'envs', 'mine.env'), '');
    expect(createEnvFiles(root, ['all'])).toEqual([]);
  });

  test('of a name makes its file only, and never touches one that exists', async () => {
    await writeFile(join(root, 'envs', 'glm.env'), 'my own');
    expect(createEnvFiles(root, ['kimi', 'glm', 'unknown'])).toEqual(['kimi']);
    expect(await readFile(join(root, 'envs', 'glm.env'), 'utf8')).toBe('my own');
  });
});

test('env files whose name cannot be an instance are named', async () => {
  for (const file of ['kimi.env', 'My Kimi.env', 'all.env', 'notes.txt']) await writeFile(join(root, 'envs', file), '');
  const lines = describeIgnoredEnvFiles(root, [sampleInstance('kimi')]);
  expect(lines.map((line) => line.split(' is not used')[0])).toEqual(['envs/My Kimi.env', 'envs/all.env']);
});

test('a port that stands in two env files is a problem of both, with its line', async () => {
  const text = 'PROVIDER=demo\nexport PORT=8081\n';
  await writeFile(join(root, 'envs', 'kimi.env'), text);
  await writeFile(join(root, 'envs', 'glm.env'), `\n${text}`);
  const configs = ['kimi', 'glm', 'demo'].flatMap((name) => {
    const { config } = sampleInstance(name, name === 'demo' ? 'PROVIDER=demo\nPORT=8080\n' : text);
    return config ? [{ ...config, file: join(root, 'envs', `${name}.env`) }] : [];
  });
  const clashes = findPortClashes(root, configs);
  expect(clashes.map(({ file, line }) => `${file}:${line}`)).toEqual(['envs/kimi.env:2', 'envs/glm.env:3']);
  expect(clashes[0]?.found).toBe('8081, which is also the port of glm.env');
});

describe('the console log', () => {
  test('gives what was written since, also after it was emptied', async () => {
    const file = join(root, 'console.log');
    expect(readLinesSince(file, 0, 5)).toEqual([]);
    await writeFile(file, 'before\n');
    const offset = sizeOf(file);
    expect(readLinesSince(file, offset, 5)).toEqual([]);
    await appendFile(file, 'one\n\ntwo\nthree\n');
    expect(readLinesSince(file, offset, 2)).toEqual(['two', 'three']);
    expect(readLinesSince(file, 10_000, 5)).toEqual(['before', 'one', 'two', 'three']);
  });

  test('is emptied when it has become large', async () => {
    const file = join(root, 'console.log');
    truncateWhenLarge(file);
    await writeFile(file, 'x'.repeat(1_000_000));
    truncateWhenLarge(file);
    expect(sizeOf(file)).toBe(1_000_000);
    await appendFile(file, 'x');
    truncateWhenLarge(file);
    expect(sizeOf(file)).toBe(0);
  });

  test('F2 is left alone when it is a link', async () => {
    await writeFile(join(root, 'foreign'), 'x'.repeat(1_000_001));
    await symlink(join(root, 'foreign'), join(root, 'console.log'));
    truncateWhenLarge(join(root, 'console.log'));
    expect(sizeOf(join(root, 'foreign'))).toBe(1_000_001);
  });
});
