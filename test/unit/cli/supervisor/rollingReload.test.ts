import { expect, test } from 'vitest';
import { rollingReloadObstacle } from '../../../../src/cli/supervisor/reload.ts';
import { sampleAnswer, sampleInspection, sampleInstance, sampleRow } from './sampleInstance.ts';

const kimi = sampleInstance('kimi');
const row = sampleRow(kimi);
const { health } = sampleAnswer();

test.runIf(process.platform === 'linux').each([
  ['all is well', { row, workers: [{ row, health }] }, undefined],
  ['lost by PM2', { workers: [{ row: undefined, health }] }, 'PM2 does not know it'],
  ['an older build', { row, workers: [{ row, health: { ...health, shares_port: false } }] }, 'does not share its port'],
  [
    'one of two is down',
    {
      row,
      workers: [
        { row, health },
        { row, health: undefined },
      ],
    },
    'does not share its port',
  ],
  [
    'PM2 would kill too early',
    { row, workers: [{ row: sampleRow(kimi, { killTimeout: 500 }), health }] },
    'PM2 has to learn DRAIN_SECONDS',
  ],
])('new processes beside the old ones: %s', (_situation, changes, expected) => {
  const obstacle = rollingReloadObstacle(sampleInspection(changes));
  if (expected === undefined) expect(obstacle).toBeUndefined();
  else expect(obstacle).toContain(expected);
});
