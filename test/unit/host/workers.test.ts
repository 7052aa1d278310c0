import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { holdName, queryName, withPortLock } from '../../../src/host/workers.ts';

const onLinux = test.runIf(process.platform === 'linux');

onLinux('who asks for an answer that cannot be made gets an empty one, and the holder goes on', async () => {
  const name = `test/${randomUUID()}`;
  let isBroken = true;
  const held = await holdName(name, () => {
    if (isBroken) throw new RangeError('Invalid time value');
    return 'fine';
  });
  onTestFinished(() => held?.release());
  expect(await queryName(name, 1000)).toBe('');
  isBroken = false;
  expect(await queryName(name, 1000)).toBe('fine');
});

/** Any program of the machine may have taken a name, and answer there what it likes. */
async function takeName(answer: (socket: Socket) => void): Promise<string> {
  const name = `test/${randomUUID()}`;
  const server = createServer((socket) => answer(socket.on('error', () => {})));
  server.listen(`\0claude-code-proxy/${name}`);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return name;
}

onLinux('an answer without end is none, and is not gathered', async () => {
  let written = 0;
  const name = await takeName((socket) => {
    const write = () => {
      while (!socket.destroyed && written < 20_000_000) {
        written += 10_000;
        if (!socket.write('x'.repeat(10_000))) break;
      }
    };
    socket.on('drain', write);
    write();
  });
  expect(await queryName(name, 10_000)).toBeUndefined();
  expect(written).toBeLessThan(10_000_000);
});

onLinux('who says nothing is not waited for', async () => {
  const name = await takeName(() => {});
  expect(await queryName(name, 50)).toBeUndefined();
});

onLinux('what is no text is given as it can be read, and never fails', async () => {
  const name = await takeName((socket) => socket.end(Buffer.from([0xff, 0x00, 0xed, 0xa0, 0x80, 0x7b])));
  expect(await queryName(name, 1000)).toBe('\ufffd\u0000\ufffd\ufffd\ufffd{');
});

onLinux('who asks and leaves before the answer is whole does not end the holder', async () => {
  const name = `test/${randomUUID()}`;
  const held = await holdName(name, () => 'x'.repeat(4_000_000));
  onTestFinished(() => held?.release());
  for (let count = 0; count < 20; count += 1) {
    const socket = connect(`\0claude-code-proxy/${name}`);
    await once(socket, 'data');
    socket.destroy();
    await once(socket, 'close');
  }
  // Its own limit makes this answer none.
  expect(await queryName(name, 1000)).toBeUndefined();
});

onLinux('who has taken the name of a port’s lock holds up a start for five seconds, and is named', async () => {
  const port = 100_000 + Math.floor(Math.random() * 1e9);
  const held = await holdName(`port/${port}`, () => '');
  const work = vi.fn(async () => {});
  await expect(withPortLock(port, work)).rejects.toThrow(
    `another program has held the name claude-code-proxy/port/${port} for 5 s`,
  );
  expect(work).not.toHaveBeenCalled();
  held?.release();
  await withPortLock(port, work);
  expect(work).toHaveBeenCalledTimes(1);
});
