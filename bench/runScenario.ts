import { DIRECT } from './processes/builtInTargets.ts';
import type { Target } from './processes/target.ts';
import type { ScenarioResult } from './report/results.ts';
import type { Effort, Sample, Scenario, Stage } from './scenarios/scenario.ts';

function takesPart({ name, needsProcess }: Scenario, { name: target, skip, only }: Target): boolean {
  return (only?.includes(name) ?? true) && !skip.includes(name) && !(needsProcess && target === DIRECT);
}

/** The items, beginning with another one each round: none is always first. */
function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const from = by % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

/** Measures all targets in turn, round after round, so that a busy minute of the machine hits all of them. */
export async function runScenario(
  scenario: Scenario,
  { rounds, seconds }: Effort,
  stage: Stage,
  targets: readonly Target[],
  report: (line: string) => void,
): Promise<ScenarioResult> {
  const partakers = targets.filter((target) => takesPart(scenario, target));
  const samples = new Map<string, Sample[]>(partakers.map(({ name }) => [name, []]));
  const measure = async (target: Target, duration: number): Promise<Sample> => {
    try {
      return await scenario.measure(stage, target, duration);
    } catch (error) {
      throw new Error(`${scenario.name} with ${target.name}: ${(error as Error).message}`);
    }
  };
  for (const target of partakers) {
    if (scenario.warmUpSeconds !== undefined) await measure(target, scenario.warmUpSeconds);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const target of rotate(partakers, round)) {
      const sample = await measure(target, seconds);
      samples.get(target.name)?.push(sample);
      const figures = scenario.metrics.flatMap(({ key, digits }) => {
        const value = sample[key];
        return value === undefined ? [] : [`${key} ${value.toFixed(digits)}`];
      });
      report(`${scenario.name} ${round + 1}/${rounds} ${target.name}: ${figures.join(', ')}`);
    }
  }
  return { scenario, rounds: samples };
}
