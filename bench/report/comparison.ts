import { markdownTable } from '../../scripts/docs/markdown.ts';
import type { Metric, Sample } from '../scenarios/scenario.ts';
import { figure, type ScenarioResult } from './results.ts';
import { formatNumber } from './scenarioSection.ts';
import { summarize } from './statistics.ts';

/** How many times as much as the other's in the same round: what the machine did in that round hit both. */
function roundRatios(mine: readonly Sample[], others: readonly Sample[], key: string): (number | undefined)[] {
  return mine.map((sample, round) => {
    const [value, other] = [sample[key], others[round]?.[key]];
    return value === undefined || other === undefined || other === 0 ? undefined : value / other;
  });
}

function row(result: ScenarioResult, before: string, after: string, { key, title, digits }: Metric): string[] {
  const { rounds, scenario } = result;
  const ratios = summarize(roundRatios(rounds.get(after) ?? [], rounds.get(before) ?? [], key));
  const text = (target: string) => formatNumber(figure(result, target, key)?.median, digits);
  return [
    scenario.name,
    title,
    text(before),
    text(after),
    ratios === undefined ? '–' : `${formatNumber(ratios.median, 2)}×`,
    ratios === undefined ? '–' : `${formatNumber(ratios.least, 2)}–${formatNumber(ratios.most, 2)}`,
  ];
}

/** Each figure of two builds: the medians, the median of the rounds' ratios, and the least and the most of these. */
export function comparisonTable(results: readonly ScenarioResult[], before: string, after: string): string {
  const head = ['scenario', 'figure', before, after, 'ratio', 'of the rounds'];
  const rows = results.flatMap((result) => result.scenario.metrics.map((metric) => row(result, before, after, metric)));
  return markdownTable(head, rows);
}
