import type { Sample, Scenario } from '../scenarios/scenario.ts';
import { type Summary, summarize } from './statistics.ts';

/** The rounds of one scenario by the name of the target. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly rounds: ReadonlyMap<string, readonly Sample[]>;
}

/** One figure of one target over all rounds. */
export function figure({ rounds }: ScenarioResult, target: string, key: string): Summary | undefined {
  return summarize((rounds.get(target) ?? []).map((sample) => sample[key]));
}

/** How many times as much as the other target, by the medians. */
export function ratio(result: ScenarioResult, target: string, other: string, key: string): number | undefined {
  const mine = figure(result, target, key);
  const others = figure(result, other, key);
  return mine === undefined || others === undefined || others.median <= 0 ? undefined : mine.median / others.median;
}
