import { expect, test } from 'vitest';
import { swapObstacle } from '../../../../src/cli/supervisor/reload.ts';
import { sampleAnswer, sampleInstance, sampleObservation, sampleRow } from './sampleInstance.ts';

const kimi = sampleInstance('kimi');
const row = sampleRow(kimi);
const { health } = sampleAnswer();

test.runIf(process.platform === 'linux').each([
  ['all is well', { row, parts: [{ row, health }] }, undefined],
  ['lost by PM2', { parts: [{ row: undefined, health }] }, 'PM2 does not know it'],
  ['an older build', { row, parts: [{ row, health: { ...health, sharesPort: false } }] }, 'does not share its port'],
  [
    'one of two is down',
    {
      row,
      parts: [
        { row, health },
        { row, health: undefined },
      ],
    },
    'does not share its port',
  ],
  [
    'PM2 would kill too early',
    { row, parts: [{ row: sampleRow(kimi, { killTimeout: 500 }), health }] },
    'PM2 has to learn DRAIN_SECONDS',
  ],
])('new processes beside the old ones: %s', (_situation, changes, expected) => {
  const obstacle = swapObstacle(sampleObservation(changes));
  if (expected === undefined) expect(obstacle).toBeUndefined();
  else expect(obstacle).toContain(expected);
});
