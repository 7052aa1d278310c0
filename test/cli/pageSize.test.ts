import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { KEY_HEADER } from '../../src/cli/ui/contract.ts';
import type { RequestsAnswer, UsageAnswer } from '../../src/cli/ui/records.ts';
import { localDay } from '../../src/core/clock.ts';
import { usageGroupings } from '../../src/telemetry/usage/totals.ts';
import { writeLogHistory, writeUsageHistory } from '../helpers/largeHistory.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, freePort } from './temporaryProject.ts';

/** The page's process before a year of much use: what the issue says at full size, a tenth of it in every run. */
const isLong = process.env['LONG'] === '1';
const ROWS = isLong ? 1_000_000 : 100_000;
const LOG_BYTES = isLong ? 200_000_000 : 20_000_000;
const MOST_MIB = 120;
const KIB_PER_MIB = 1024;
const MS_PER_TICK = 10;

const statusOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/status`, 'utf8');
const peakMib = (pid: number | undefined) => Number(/VmHWM:\s+(\d+)/.exec(statusOf(pid))?.[1]) / KIB_PER_MIB;
/** Processor time of the process so far, in ms. */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

test.skipIf(process.platform !== 'linux')(
  `with ${ROWS} requests in a year and ${LOG_BYTES / 1e6} MB of logs it stays below ${MOST_MIB} MiB, and reads each day once`,
  async () => {
    const project = await createProject({ isBuilt: true });
    onTestFinished(() => project.dispose());
    await project.addInstance('demo');
    const now = Date.now();
    writeUsageHistory(join(project.root, 'state', 'demo.usage.sqlite'), ROWS, 365, now);
    writeLogHistory(join(project.root, 'logs', 'demo'), 'demo', LOG_BYTES, LOG_BYTES / 10, now);
    const port = await freePort();
    const page = spawn(join(project.root, 'manage'), ['ui', '--port', String(port)], {
      cwd: project.root,
      env: { PATH: process.env['PATH'], HOME: project.home, PM2_HOME: project.pm2Home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void page.kill('SIGKILL'));
    let printed = '';
    for (const stream of [page.stdout, page.stderr]) stream.on('data', (piece) => (printed += piece));
    await waitUntil('the page', async () => printed.includes('Ctrl-C ends it'));
    const base = `http://127.0.0.1:${port}`;
    const opened = await fetch(`${base}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret: /#([\w-]+)/.exec(printed)?.[1] }),
    });
    const { key } = (await opened.json()) as { key: string };
    const headers = { cookie: opened.headers.getSetCookie()[0]?.split(';')[0] ?? '', [KEY_HEADER]: key };
    const get = async <T>(path: string): Promise<T> => {
      const answer = await fetch(base + path, { headers });
      expect([path, answer.status]).toEqual([path, 200]);
      return path.includes('.csv') ? ((await answer.text()) as T) : ((await answer.json()) as T);
    };
    const costOf = async (path: string): Promise<number> => {
      const before = cpuMs(page.pid);
      await get(path);
      return cpuMs(page.pid) - before;
    };
    const year = `from=${localDay(now - 364 * 86_400_000)}`;

    // A page is open meanwhile, and what is first seen comes before the logs are read.
    const live = new AbortController();
    onTestFinished(() => live.abort());
    const events = await fetch(`${base}/api/live`, { headers, signal: live.signal });
    const draining = events.body?.pipeTo(new WritableStream()).catch(() => undefined);
    const [, { requests, index }] = await Promise.all([
      get('/api/now'),
      get<RequestsAnswer>('/api/requests'),
      get('/api/usage'),
    ]);
    expect(requests).toHaveLength(100);
    expect(index.is_complete).toBe(false);

    const first = await costOf(`/api/usage?by=model&${year}`);
    // Not more often, as the reading stands back before who asks.
    while (!(await get<RequestsAnswer>('/api/requests?limit=1')).index.is_complete) await pause(300);
    const again = await costOf(`/api/usage?by=model&${year}`);
    for (const by of usageGroupings) await get(`/api/usage?by=${by}&${year}&compare=1`);
    const bySession = `by=session&${year}`;
    const { lines } = await get<UsageAnswer>(`/api/usage?${bySession}`);
    await Promise.all([get(`/api/usage?${bySession}`), get(`/api/usage.csv?${bySession}`)]);
    await get(`/api/sessions?${year}&limit=1000`);
    await get('/api/requests?error=overloaded&limit=500');
    expect(lines.length).toBeGreaterThan(ROWS / 200);
    const peak = peakMib(page.pid);
    console.info(
      `the page's process: ${peak.toFixed(1)} MiB at most; a year costs ${first} ms at first, then ${again} ms`,
    );
    expect(peak).toBeLessThan(MOST_MIB);
    expect(again).toBeLessThan(first / 2);
    live.abort();
    await draining;
    const ended = once(page, 'exit');
    page.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  },
  600_000,
);
