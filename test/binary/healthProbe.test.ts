import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { executablePath } from '../../src/host/workers.ts';
import { freePort, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const EXECUTABLE = executablePath(join(import.meta.dirname, '../..'));

/** What `--health` says of the instance of an env file. */
function probe(file: string): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      EXECUTABLE,
      ['--env', file, '--health'],
      { env: { PATH: '/nowhere' } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

function envFile(name: string, port: number): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const file = join(path, `${name}.env`);
  writeFileSync(file, `PROVIDER=demo\nPORT=${port}\n`, { mode: 0o600 });
  return file;
}

test('is 0 and silent while the instance serves, also after a wrong edit, and 1 with the reason when it is gone', async () => {
  const instance = await startBinary({ PROVIDER: 'demo' }, 'mine');
  const file = join(instance.folder, 'mine.env');
  expect(await probe(file)).toEqual({ code: 0, output: '' });
  appendFileSync(file, 'MAX_RETRIES=many\n');
  expect(await probe(file)).toEqual({ code: 0, output: '' });
  expect(await probe(envFile('other', instance.port))).toEqual({
    code: 1,
    output: `claude-code-proxy: 127.0.0.1:${instance.port} is answered by another instance: "mine"\n`,
  });
  await instance.stop();
  const gone = await probe(envFile('mine', instance.port));
  expect(gone.code).toBe(1);
  expect(gone.output).toContain(`nothing serves on 127.0.0.1:${instance.port}`);
});

test('is 1 where another program answers, or one that never does', async () => {
  const web = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')).listen(
    0,
    '127.0.0.1',
  );
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void [web, silent].map((server) => server.close()));
  await Promise.all([web, silent].map((server) => once(server, 'listening')));
  const portOf = (server: typeof web) => (server.address() as AddressInfo).port;
  const [strange, late] = await Promise.all([web, silent].map((server) => probe(envFile('mine', portOf(server)))));
  expect(strange).toEqual({
    code: 1,
    output: `claude-code-proxy: 127.0.0.1:${portOf(web)} is not answered by claude-code-proxy\n`,
  });
  expect(late?.code).toBe(1);
  expect(late?.output).toContain('does not answer within 3 s');
});

test('is 1 with the problem where there is no such file', async () => {
  const { code, output } = await probe(`/nowhere/${await freePort()}.env`);
  expect(code).toBe(1);
  expect(output).toContain('no file of this name');
});
