import { describe, expect, test } from 'vitest';
import type { SoakFigures } from '../../../scripts/docs/reliability.ts';
import { readArguments } from '../../../soak/arguments.ts';
import { checkFault } from '../../../soak/load/checkFault.ts';
import { findProblems } from '../../../soak/report/assessment.ts';
import { drawPlot } from '../../../soak/report/plot.ts';
import { summarizeSoak } from '../../../soak/report/summary.ts';

const figures: SoakFigures = {
  date: '2026-11-20',
  machine: 'a machine',
  minutes: 480,
  users: 100,
  requests: { answered: 1000, aborted: 100, faults: 50, refused: 3, failed: 0 },
  edits: 10,
  brokenEdits: 2,
  rollingReloads: 6,
  rotatedLogs: 20,
  warmUpMinutes: 30,
  residentMib: { warm: 120, end: 121, slopePerHour: 0.2 },
  heapMib: { warm: 30, end: 30.5, slopePerHour: 0.1 },
  descriptors: { before: 25, after: 26 },
  timers: { before: 3, after: 3 },
  faultsOfOurOwn: 0,
};

describe('the assessment', () => {
  test.each<[string, Partial<SoakFigures>, number]>([
    ['all is well', {}, 0],
    ['requests failed', { requests: { ...figures.requests, failed: 1 } }, 1],
    ['memory grows', { residentMib: { warm: 100, end: 130, slopePerHour: 4 } }, 1],
    [
      'memory grows in a short run, which says nothing',
      { minutes: 20, residentMib: { warm: 100, end: 101, slopePerHour: 4 } },
      0,
    ],
    ['more is held on to', { heapMib: { warm: 30, end: 32, slopePerHour: 0.3 } }, 1],
    ['descriptors are left', { descriptors: { before: 25, after: 31 } }, 1],
    ['a fault of our own', { faultsOfOurOwn: 1 }, 1],
  ])('%s', (_name, changes, problems) => {
    expect(findProblems({ ...figures, ...changes })).toHaveLength(problems);
  });
});

test('neither the warm-up nor a peak counts for the figures', () => {
  const samples = Array.from({ length: 121 }, (_, index) => {
    const isWarm = index >= 30;
    const peak = index === 120 ? 1000 : 0;
    return {
      at: index * 10,
      residentMib: isWarm ? 70 + index + peak : 500,
      heapMib: isWarm ? 20 : 900,
      descriptors: 30,
    };
  });
  const run = {
    tally: { answered: 5, aborted: 0, faults: 0, refused: 0, failed: 0, failures: [] },
    samples,
    edits: 0,
    brokenEdits: 0,
    rollingReloads: 0,
    rotatedLogs: 0,
    faultsOfOurOwn: 0,
    descriptors: { before: 1, after: 1 },
    timers: { before: 1, after: 1 },
  };
  expect(summarizeSoak(run, { date: 'd', machine: 'm', minutes: 20, users: 1 })).toMatchObject({
    warmUpMinutes: 5,
    requests: { answered: 5 },
    residentMib: { warm: 111, end: 179, slopePerHour: 360 },
    heapMib: { warm: 20, end: 20, slopePerHour: 0 },
  });
});

describe('a fault of the provider', () => {
  const reply = (status: number, body: string) => ({
    status,
    body,
    askedAt: 0,
    firstTextAt: undefined,
    endedAt: 0,
    arrivals: [],
  });
  const broken = 'event: message_start\ndata: {}\n\nevent: error\ndata: {"type":"error"}\n\n';

  test('is reported by the last event, or by a status', () => {
    checkFault(reply(200, broken), 'reset');
    checkFault(reply(529, '{"error":{"type":"overloaded_error"}}'), 'refuse');
  });

  test.each([
    ['a polite end', 200, 'event: message_stop\ndata: {}\n\n', 'cut'],
    ['something behind the error', 200, `${broken}event: ping\ndata: {}\n\n`, 'cut'],
    ['another status', 500, broken, 'stall'],
    ['an answer in place of a refusal', 200, broken, 'refuse'],
  ] as const)('%s is noticed', (_name, status, body, fault) => {
    expect(() => checkFault(reply(status, body), fault)).toThrow(fault);
  });
});

test('hours are minutes, and nonsense is refused', () => {
  expect(readArguments([], '/root')).toMatchObject({ minutes: 20, users: 100, restSeconds: 70, write: false });
  expect(readArguments(['--hours', '8'], '/root').minutes).toBe(480);
  expect(() => readArguments(['--minutes', 'many'], '/root')).toThrow('--minutes');
  expect(() => readArguments(['--sometimes'], '/root')).toThrow();
});

test('the plot has all points within its frame', () => {
  const points = [0, 5, 10, 20].map((x) => ({ x, y: x * 7 }));
  const svg = drawPlot('A & title', [{ title: 'a line', colour: '#123456', points }]);
  const drawn =
    /points="([^"]+)"/
      .exec(svg)?.[1]
      ?.split(' ')
      .map((point) => point.split(',').map(Number)) ?? [];
  expect(drawn).toHaveLength(points.length);
  for (const [x = -1, y = -1] of drawn) {
    expect(x).toBeGreaterThanOrEqual(56);
    expect(x).toBeLessThanOrEqual(844);
    expect(y).toBeGreaterThanOrEqual(40);
    expect(y).toBeLessThanOrEqual(284);
  }
  expect(svg).toContain('A &amp; title');
});
