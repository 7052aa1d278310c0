import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, isPortTaken, portIn } from '../../../../src/cli/envs/envFiles.ts';
import { presets } from '../../../../src/providers/index.ts';
import type { Preset } from '../../../../src/providers/preset.ts';

async function listen() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

function presetAt(port: number): Preset {
  const [first] = presets;
  if (first === undefined) throw new Error('no presets');
  return { ...first, port };
}

test('the port of an env file is that of its last line', () => {
  expect(portIn('#PORT=1\nexport PORT="8081"\nPORT=8082 # mine\n')).toBe(8082);
  expect(portIn('CLAUDE_PROXY_PORT: 9000\n')).toBe(9000);
  expect(portIn('MY_PORT=1\n')).toBeUndefined();
});

test('the preset’s own port is taken when it is free', async () => {
  const { server, port } = await listen();
  expect(await isPortTaken(port)).toBe(true);
  expect(await freePort(new Set(), presetAt(port))).not.toBe(port);
  server.close();
  await once(server, 'close');
  expect(await freePort(new Set(), presetAt(port))).toBe(port);
});

test('otherwise one that stands in no env file, and belongs to no other preset', async () => {
  const { server, port } = await listen();
  server.close();
  const chosen = await freePort(new Set([port]), presetAt(port));
  expect(chosen).not.toBe(port);
  expect(presets.map((preset) => preset.port)).not.toContain(chosen);
  expect(await freePort(new Set([port, chosen]), presetAt(port))).not.toBe(chosen);
});
