import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { holdName, queryName } from '../../../src/host/workers.ts';

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
