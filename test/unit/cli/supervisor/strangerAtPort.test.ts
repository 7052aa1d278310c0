import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Pm2 } from '../../../../src/cli/supervisor/pm2.ts';
import { type StartOutcome, spawnAndWait } from '../../../../src/cli/supervisor/processes.ts';
import { sampleInstance } from './sampleInstance.ts';

/** How a start ends when this process has the port, and answers there that the instance has this pid. */
async function startAgainst(pid: number): Promise<StartOutcome | undefined> {
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ service: 'claude-code-proxy', instance: 'kimi', pid, state: 'serving' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const pm2: Pm2 = { list: async () => [], start: async () => {}, add: async () => {}, remove: async () => {} };
  let outcome: StartOutcome | undefined;
  await spawnAndWait(pm2, [sampleInstance('kimi', `PROVIDER=demo\nPORT=${port}\n`)], [], (known) => {
    outcome = known;
  });
  return outcome;
}

test('an instance is up when the process that answers in its name has the port', async () => {
  expect(await startAgainst(process.pid)).toMatchObject({ code: 0 });
});

test.runIf(process.platform === 'linux')(
  'E3 a stranger who has taken the port is not taken for the instance',
  async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void other.kill());
    expect(await startAgainst(other.pid ?? 0)).toMatchObject({ code: 1 });
  },
);
