import { once } from 'node:events';
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { portIn } from '../../../../src/cli/envs/envFiles.ts';
import { createEnvFiles, isCopyOfExample } from '../../../../src/cli/envs/exampleFiles.ts';
import { describeIgnoredEnvFiles, findPortClashes } from '../../../../src/cli/supervisor/instances.ts';
import { readLinesSince, sizeOf, truncateWhenLarge } from '../../../../src/cli/supervisor/processes.ts';
import type { Output } from '../../../../src/cli/terminal/output.ts';
import { freePort } from '../../../cli/temporaryProject.ts';
import { sampleInstance } from './sampleInstance.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'project-'));
  await mkdir(join(root, 'envs'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('PM2 starts the page with one arena of the C library for all threads', async () => {
  await mkdir(join(root, 'state'));
  await writeFile(join(root, 'state', 'page.json'), '{"port":8079,"background":true}');
  const file = join(root, 'ecosystem.config.cjs');
  await copyFile(join(import.meta.dirname, '../../../../ecosystem.config.cjs'), file);
  const { apps } = createRequire(import.meta.url)(file);
  expect(apps).toMatchObject([
    { script: 'manage', args: ['ui', '--port', '8079', '--no-open'], env: { MALLOC_ARENA_MAX: '1' } },
  ]);
});

describe('the first start', () => {
  let ports: readonly number[];
  let said: string[];
  const create = (...names: string[]) => createEnvFiles(root, names, output);
  const output = { say: (text: string) => void said.push(text) } as Output;
  const envText = (name: string) => readFile(join(root, 'envs', `${name}.env`), 'utf8');
  const exampleText = (name: string, port: number | undefined) =>
    `# ${name}, on http://127.0.0.1:${port}\nPROVIDER=demo\nPORT=${port}\n${name === 'kimi' ? 'OPENAI_API_KEY=\n' : ''}`;

  beforeEach(async () => {
    said = [];
    ports = [await freePort(), await freePort()];
    await copyFile(join(import.meta.dirname, '../../../../ecosystem.config.cjs'), join(root, 'ecosystem.config.cjs'));
    for (const [index, name] of ['glm', 'kimi'].entries())
      await writeFile(join(root, 'envs', `${name}.env.example`), exampleText(name, ports[index]));
  });

  test('of all makes an env file from every example, for the owner only', async () => {
    expect(await create('all')).toEqual(['glm', 'kimi']);
    expect(await envText('kimi')).toBe(exampleText('kimi', ports[1]));
    expect((await stat(join(root, 'envs', 'kimi.env'))).mode & 0o777).toBe(0o600);
    expect(said).toEqual(['Made envs/glm.env, envs/kimi.env from the examples.']);
  });

  test('of all makes nothing when there is an env file already', async () => {
    await writeFile(join(root, 'envs', 'mine.env'), '');
    expect(await create('all')).toEqual([]);
    expect(said).toEqual([]);
  });

  test('of a name makes its file only, and never touches one that exists', async () => {
    await writeFile(join(root, 'envs', 'glm.env'), 'my own');
    expect(await create('kimi', 'glm', 'unknown')).toEqual(['kimi']);
    expect(await envText('glm')).toBe('my own');
  });

  test('M24 takes a free port where another program has the example’s, says so, and knows the file for a copy', async () => {
    const server = createServer((socket) => socket.end());
    onTestFinished(() => void server.close());
    await once(server.listen(ports[0], '127.0.0.1'), 'listening');
    expect(await create('glm')).toEqual(['glm']);
    const port = portIn(await envText('glm'));
    expect(port).not.toBe(ports[0]);
    expect(await envText('glm')).toBe(exampleText('glm', port));
    expect(said[0]).toBe(
      `Port ${ports[0]} is taken by pid ${process.pid} (${basename(process.execPath)}), so that envs/glm.env has ${port}.`,
    );
    expect(said[1]).toBe('Made envs/glm.env from the examples.'); // which needs no key
    expect(isCopyOfExample(join(root, 'envs', 'glm.env'))).toBe(true);
    expect(await create('all')).toEqual(['kimi']);
    await appendFile(join(root, 'envs', 'glm.env'), 'MAX_RETRIES=1\n');
    expect(isCopyOfExample(join(root, 'envs', 'glm.env'))).toBe(false);
  });

  test('M24 gives no two of its files one port', async () => {
    await writeFile(join(root, 'envs', 'kimi.env.example'), exampleText('kimi', ports[0]));
    await create('all');
    expect(portIn(await envText('kimi'))).not.toBe(ports[0]);
    expect(said[0]).toContain(`Port ${ports[0]} is taken by another env file`);
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
