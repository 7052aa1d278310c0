import { expect, onTestFinished, test } from 'vitest';
import { LogStream } from '../../src/telemetry/log/logFile.ts';
import { JumpingClock, makeFolder } from '../helpers/logFolder.ts';

test('at no moment of an append does a part of it count as missing, whether it rotates or not', async () => {
  const directory = makeFolder();
  const stream = await LogStream.open({ directory, name: 'kimi', maxSizeBytes: 1_000, clock: new JumpingClock() });
  onTestFinished(() => stream.close());
  let rotations = 0;
  for (let round = 0; round < 20; round++) {
    const bytes = Buffer.from(`${'x'.repeat(400)}\n`);
    let done = false;
    const appended = stream.append(bytes).then((result) => {
      done = true;
      if (result.rotatedTo !== undefined) rotations += 1;
    });
    while (!done) {
      expect(stream.missingSync(bytes)).toHaveLength(0);
      await new Promise(setImmediate);
    }
    await appended;
  }
  expect(rotations).toBeGreaterThan(5);
});

test('what was not handed over is missing whole', async () => {
  const directory = makeFolder();
  const stream = await LogStream.open({ directory, name: 'kimi', maxSizeBytes: 1_000, clock: new JumpingClock() });
  onTestFinished(() => stream.close());
  await stream.append(Buffer.from('first\n'));
  expect(stream.missingSync(Buffer.from('second\n')).toString()).toBe('second\n');
});
