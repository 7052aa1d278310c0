import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isCommandOf, runsExecutable } from '../../../../src/cli/supervisor/instances.ts';
import { findPortHolder, readCommand } from '../../../../src/host/ports.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { sampleInstance } from './sampleInstance.ts';

const { app } = sampleInstance('kimi');
const binary = '/srv/proxy/dist/claude-code-proxy';
const file = '/srv/proxy/envs/kimi.env';

test.each([
  ['the binary', [binary, '--env', file], true],
  ['the bundle under Node', ['/usr/bin/node', '/srv/proxy/dist/main.cjs', '--env', file], true],
  ['another instance', [binary, '--env', '/srv/proxy/envs/glm.env'], false],
  ['another copy of the project', ['/home/x/dist/claude-code-proxy', '--env', file], false],
  ['an editor on the env file', ['vi', '--env', file], false],
  ['a longer file name', [binary, '--env', `${file}.old`], false],
  ['nothing', undefined, false],
])('P6 %s is proof of identity, or not', (_what, command, expected) => {
  expect(isCommandOf(command, app)).toBe(expected);
});

test('P6 a process that began anew under the path without links is known, in another folder not', async () => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  mkdirSync(join(path, 'dist'));
  writeFileSync(join(path, 'dist', 'claude-code-proxy'), '');
  symlinkSync(path, join(path, 'link'));
  const executable = join(path, 'link', 'dist', 'claude-code-proxy');
  expect(runsExecutable([executable, '--env', file], executable)).toBe(true);
  expect(runsExecutable([join(path, 'dist', 'claude-code-proxy'), '--permission', '--env', file], executable)).toBe(
    true,
  );
  expect(runsExecutable([join(path, 'claude-code-proxy'), '--env', file], executable)).toBe(false);
});

test('the command of a process can be read, that of none cannot', async () => {
  expect((await readCommand(process.pid))?.[0]).toBe(process.argv0);
  expect(await readCommand(2 ** 22 + 1)).toBeUndefined();
});

test('P5 the holder of a port is found; a free port has none', async () => {
  const server = createServer();
  const port = await new Promise<number>((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : 0);
    });
  });
  expect((await findPortHolder(port))?.pid).toBe(process.pid);
  await new Promise((closed) => server.close(closed));
  expect(await findPortHolder(port)).toBeUndefined();
});
