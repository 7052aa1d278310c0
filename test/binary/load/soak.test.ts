import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { totalOf } from '../../../soak/load/tally.ts';
import { runSoak } from '../../../soak/soak.ts';
import { executablePath } from '../../../src/host/workers.ts';

test.runIf(process.platform === 'linux')(
  'L5 some seconds of the soak: every answer is as it should be',
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-code-proxy-soak-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const options = {
      minutes: 0.1,
      users: 15,
      restSeconds: 0.1,
      binary: executablePath(resolve(import.meta.dirname, '../../..')),
    };
    const { tally, samples, faultsOfOurOwn } = await runSoak(
      options,
      { folder, searchPath: process.env['PATH'] },
      () => {},
    );
    expect(tally).toMatchObject({ failed: 0, failures: [] });
    expect(faultsOfOurOwn).toBe(0);
    expect(totalOf(tally)).toBeGreaterThan(10);
    expect(samples[0]).toMatchObject({ heapMib: expect.any(Number), descriptors: expect.any(Number) });
  },
);
