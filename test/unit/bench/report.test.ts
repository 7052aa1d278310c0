import { expect, test } from 'vitest';
import { FLOOR, PROXY } from '../../../bench/processes/builtInTargets.ts';
import { GOALS, goalsTable, regressions } from '../../../bench/report/goals.ts';
import { replaceReport } from '../../../bench/report/page.ts';
import type { ScenarioResult } from '../../../bench/report/results.ts';
import { scenarioSection } from '../../../bench/report/scenarioSection.ts';
import type { Sample } from '../../../bench/scenarios/scenario.ts';
import { scenarioTable } from '../../../bench/scenarios/scenarioTable.ts';

function resultOf(name: string, floor: readonly Sample[], proxy: readonly Sample[]): ScenarioResult {
  const scenario = scenarioTable.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return {
    scenario,
    rounds: new Map([
      [FLOOR, floor],
      [PROXY, proxy],
    ]),
  };
}

const small = (cpuMs: number) =>
  resultOf(
    'S1',
    [{ cpuMs: 1 }, { cpuMs: 2 }, { cpuMs: 3 }],
    [{ cpuMs: cpuMs - 0.5 }, { cpuMs }, { cpuMs: cpuMs + 0.5 }],
  );

test('a table shows medians, the spread of the compared figure and its ratio to the floor', () => {
  const lines = scenarioSection(small(3)).split('\n');
  expect(lines[2]).toBe('| target | CPU ms per request | to the floor | requests/s | p50 ms | p99 ms | cores used |');
  expect(lines.slice(4)).toEqual([
    '| floor | 2.000 (1.000–3.000) | 1.00× | – | – | – | – |',
    '| claude-code-proxy | 3.000 (2.500–3.500) | 1.50× | – | – | – | – |',
  ]);
});

test.each([
  { cpuMs: 4, reached: 'yes', isRegression: false },
  { cpuMs: 4.2, reached: 'no', isRegression: false },
  { cpuMs: 6.1, reached: 'no', isRegression: true },
])('a goal of at most 2 with $cpuMs to 2: $reached, regression $isRegression', ({ cpuMs, reached, isRegression }) => {
  const results = [small(cpuMs)];
  expect(goalsTable(results).split('\n').slice(2)).toEqual([
    `| S1 | CPU of a small request, times the floor | at most 2 | ${(cpuMs / 2).toFixed(2)} | ${reached} |`,
  ]);
  expect(regressions(results)).toHaveLength(isRegression ? 1 : 0);
});

test.each([
  { events: 90, reached: 'yes', isRegression: false },
  { events: 80, reached: 'no', isRegression: false },
  { events: 50, reached: 'no', isRegression: true },
])('a goal of at least 0.9 with $events to 100: $reached', ({ events, reached, isRegression }) => {
  const results = [resultOf('S2', [{ eventsPerCpuSecond: 100 }], [{ eventsPerCpuSecond: events }])];
  expect(goalsTable(results)).toContain(`| ${reached} |`);
  expect(regressions(results)).toHaveLength(isRegression ? 1 : 0);
});

test('only ratios are a regression: absolute figures depend on the machine', () => {
  const results = [resultOf('S5 memory', [{ onePss: 40 }], [{ onePss: 1000 }])];
  expect(goalsTable(results)).toContain('| no |');
  expect(regressions(results)).toEqual([]);
});

test('each goal is a figure that its scenario measures', () => {
  const keys = (name: string) => scenarioTable.find((one) => one.name === name)?.metrics.map(({ key }) => key);
  for (const { scenario, key } of GOALS) expect(keys(scenario), scenario).toContain(key);
});

test('the tables of the page are replaced, its words stay', () => {
  const page = (report: string) =>
    `# Words\n\n<!-- Written by \`npm run bench -- --write\`. -->\n\n${report}\n\n<!-- End of what is written. -->\n\nMore\n`;
  expect(replaceReport(page('old'), 'new')).toBe(page('new'));
  expect(() => replaceReport('# Words', 'new')).toThrow('no place for the tables');
});
