import { join } from 'node:path';
import * as sqlite from 'node:sqlite';
import { expect, test } from 'vitest';
import { NO_RECENT_USAGE, readRecentUsage } from '../../../../src/cli/top/sample.ts';
import { localDay } from '../../../../src/core/clock.ts';
import { UsageFile } from '../../../../src/telemetry/usage/file.ts';
import { makeFolder } from '../../../helpers/logFolder.ts';
import { sampleRow } from '../../../helpers/usageRow.ts';

test('distinguishes the last minute, the last five minutes and today, also across midnight', () => {
  const path = join(makeFolder(), 'kimi.usage.sqlite');
  expect(readRecentUsage(path, 0)).toEqual(NO_RECENT_USAGE);

  const now = new Date(2026, 10, 20, 0, 2).getTime(); // two minutes after midnight
  const ago = (seconds: number, changes: Parameters<typeof sampleRow>[0] = {}) => {
    const time = now - seconds * 1000;
    return sampleRow({ time, day: localDay(time), ...changes });
  };
  const file = new UsageFile(sqlite, path);
  file.write([
    ago(10, { duration_ms: 1, first_event_ms: null, output_tokens: 7, cost: null }),
    ago(59, { duration_ms: 2, first_event_ms: 20, outcome: 'error', input_tokens: null }),
    ago(61, { duration_ms: 3, first_event_ms: 30 }),
    ago(299, { duration_ms: 4, first_event_ms: 40 }), // yesterday
    ago(15, { endpoint: 'health_check', duration_ms: 6, cost: 0.25 }), // of the day's cost only
    ago(301, { duration_ms: 5, first_event_ms: 50 }),
  ]);
  file.close();
  const { today, ...recent } = readRecentUsage(path, now);
  const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
  expect({ ...recent, firstEvents: sorted(recent.firstEvents), durations: sorted(recent.durations) }).toEqual({
    requests: 2,
    inputTokens: 100 + 1000 + 1000,
    outputTokens: 17,
    firstEvents: [20, 30, 40],
    durations: [1, 2, 3, 4],
  });
  expect(today).toMatchObject({ requests: 3, checks: 1, failed: 1, cost: 1.25, unpriced: 1 });
});
