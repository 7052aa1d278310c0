import { markdownTable } from '../../scripts/docs/markdown.ts';
import { FLOOR, PROXY, RESPONSES } from '../processes/builtInTargets.ts';
import { figure, ratio, type ScenarioResult } from './results.ts';
import { formatNumber } from './scenarioSection.ts';

/** A figure that the proxy is to reach. */
export interface Goal {
  readonly scenario: string;
  readonly key: string;
  readonly what: string;
  /** Whether the figure is the ratio to the floor. */
  readonly toFloor?: true;
  /** Whether the figure is that over the Responses API, times that over chat completions. */
  readonly toChat?: true;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export const GOALS: readonly Goal[] = [
  { scenario: 'S1', key: 'cpuMs', what: 'CPU of a small request, times the floor', toFloor: true, atMost: 2 },
  {
    scenario: 'S2',
    key: 'eventsPerCpuSecond',
    what: 'deltas per CPU second, times the floor',
    toFloor: true,
    atLeast: 0.9,
  },
  { scenario: 'S1', key: 'cpuMs', what: 'the same over the Responses API, times chat', toChat: true, atMost: 1.15 },
  {
    scenario: 'S2',
    key: 'eventsPerCpuSecond',
    what: 'deltas per CPU second over the Responses API, times chat',
    toChat: true,
    atLeast: 0.87,
  },
  {
    scenario: 'S3',
    key: 'cpuMs',
    what: 'a 300 KB request over the Responses API, times chat',
    toChat: true,
    atMost: 1.15,
  },
  { scenario: 'S2', key: 'firstP50', what: 'first text of a stream, times the floor', toFloor: true, atMost: 1.2 },
  { scenario: 'S3', key: 'cpuMs', what: 'CPU of a 300 KB request, times the floor', toFloor: true, atMost: 1.2 },
  { scenario: 'S3 2 MB', key: 'cpuMs', what: 'CPU of a 2 MB request, times the floor', toFloor: true, atMost: 1.2 },
  {
    scenario: 'S7',
    key: 'all',
    what: 'CPU of a turn of a growing conversation, times the floor',
    toFloor: true,
    atMost: 1,
  },
  { scenario: 'S10 1', key: 'addedP99', what: 'p99 added to a small request of 22 ms, one at a time, ms', atMost: 1 },
  { scenario: 'S10 16', key: 'addedP99', what: 'the same, 16 at a time, ms', atMost: 1 },
  { scenario: 'S10 64', key: 'addedP99', what: 'the same, 64 at a time, ms', atMost: 20 },
  {
    scenario: 'S4',
    key: 'first',
    what: 'first text of 1,000 streams begun in a second, times the floor',
    toFloor: true,
    atMost: 1.5,
  },
  { scenario: 'S4', key: 'p99', what: 'one way p99 of 1,000 streams, times the floor', toFloor: true, atMost: 1.5 },
  { scenario: 'S4', key: 'peak', what: 'peak memory with 1,000 streams, MiB', atMost: 150 },
  { scenario: 'S5', key: 'first', what: 'start to first answer, times the floor', toFloor: true, atMost: 1.6 },
  { scenario: 'S5 memory', key: 'onePss', what: 'memory (PSS) of one idle instance, MiB', atMost: 65 },
  { scenario: 'S5 memory', key: 'fourPss', what: 'memory (PSS) of four idle instances, MiB', atMost: 240 },
  { scenario: 'S8', key: 'p99', what: 'delay p99 beside a 5 MB request each second, ms', atMost: 20 },
  { scenario: 'S8 count', key: 'p99', what: 'delay p99 beside a count of 1 MB each second, ms', atMost: 20 },
];

/** The limits of a regression are this much looser than the goals, as machines are noisy. */
const LOOSENESS = 1.5;

function measured(
  { scenario: name, key, toFloor, toChat }: Goal,
  results: readonly ScenarioResult[],
): number | undefined {
  const result = results.find(({ scenario }) => scenario.name === name);
  if (result === undefined) return undefined;
  if (toChat) return ratio(result, RESPONSES, PROXY, key);
  return toFloor ? ratio(result, PROXY, FLOOR, key) : figure(result, PROXY, key)?.median;
}

function holds({ atMost = Number.POSITIVE_INFINITY, atLeast = 0 }: Goal, value: number, looseness: number): boolean {
  return value <= atMost * looseness && value >= atLeast / looseness;
}

/** Table of the goals that were measured. */
export function goalsTable(results: readonly ScenarioResult[]): string {
  const rows = GOALS.flatMap((goal) => {
    const value = measured(goal, results);
    if (value === undefined) return [];
    const bound = goal.atMost === undefined ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
    return [[goal.scenario, goal.what, bound, formatNumber(value, 2), holds(goal, value, 1) ? 'yes' : 'no']];
  });
  return markdownTable(['scenario', 'figure', 'goal', 'measured', 'reached'], rows);
}

/** The figures that have left even the loose limits, in words. */
export function regressions(results: readonly ScenarioResult[]): string[] {
  return GOALS.flatMap((goal) => {
    const value = measured(goal, results);
    return value === undefined || (goal.toFloor ?? goal.toChat) === undefined || holds(goal, value, LOOSENESS)
      ? []
      : [`${goal.scenario}: ${goal.what}: ${formatNumber(value, 2)}`];
  });
}
