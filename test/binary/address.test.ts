import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { listeningAddresses } from '../../src/host/ports.ts';
import { startBinary } from '../helpers/startBinary.ts';

/** Addresses by which others reach this machine. */
const outside = Object.values(networkInterfaces())
  .flat()
  .filter((one) => one?.internal === false)
  .map((one) => (one?.scopeid ? `${one.address}%${one.scopeid}` : (one?.address ?? '')));

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 }, () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('timeout', () => resolve(false));
    socket.on('close', () => socket.destroy());
  });
}

test('A1 without a HOST it listens on this machine alone', async () => {
  const binary = await startBinary({ PROVIDER: 'demo' });
  onTestFinished(() => binary.stop());
  expect(await listeningAddresses(binary.process.pid ?? 0)).toEqual([{ host: '127.0.0.1', port: binary.port }]);
  expect(await canConnect('127.0.0.1', binary.port)).toBe(true);
  for (const host of outside) expect(await canConnect(host, binary.port), host).toBe(false);
});
