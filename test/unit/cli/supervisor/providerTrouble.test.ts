import { expect, test } from 'vitest';
import { countFallbacks, providerTrouble } from '../../../../src/cli/supervisor/health.ts';
import { statusTable } from '../../../../src/cli/views/statusView.ts';
import { sampleAnswer, sampleInspection, sampleInstance, sampleRow } from './sampleInstance.ts';

const ready = { state: 'ready' };
const resting = { state: 'resting' };
const provider = (name: string, circuit: string, ...keys: unknown[]) => ({ name, circuit, keys });

test.each([
  ['nothing', [provider('a', 'closed', ready)], ''],
  ['an open circuit', [provider('a', 'open', ready)], 'down'],
  ['a key that cools down', [provider('a', 'closed', resting)], 'key not used for now'],
  [
    'one of several providers',
    [provider('a', 'closed', ready), provider('b', 'half-open', ready)],
    'b down, being tried again',
  ],
  [
    'some keys',
    [provider('a', 'closed', ready, resting), provider('b', 'open')],
    'a 1 of 2 keys not used for now, b down',
  ],
  ['an older instance, which lists none', undefined, ''],
])('%s is marked', (_what, providers, marks) => {
  const { health } = sampleAnswer({ ...(providers === undefined ? {} : { providers }) });
  expect(providerTrouble(health)).toBe(marks);
  expect(countFallbacks(health)).toBe(Math.max(0, (providers?.length ?? 1) - 1));
});

test('status shows how many providers follow, and what is wrong with them', () => {
  const instance = sampleInstance('kimi', 'PROVIDER=demo\nPORT=8081\n');
  const { health } = sampleAnswer({
    provider: { name: 'kimi' },
    providers: [provider('kimi', 'open', ready), provider('glm', 'closed', ready)],
  });
  const inspection = sampleInspection({ row: sampleRow(instance) });
  const plain = { columns: undefined, paint: (_colour: string, text: string) => text };
  expect(
    statusTable([{ inspection, state: 'serving', health, report: { condition: 'ready' }, hint: undefined }], plain),
  ).toContain('kimi +1 (kimi down)');
});
