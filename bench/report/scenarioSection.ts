import { markdownTable } from '../../scripts/docs/markdown.ts';
import { FLOOR } from '../processes/builtInTargets.ts';
import type { Metric } from '../scenarios/scenario.ts';
import { figure, ratio, type ScenarioResult } from './results.ts';

const NONE = '–';

export function formatNumber(value: number | undefined, digits: number): string {
  if (value === undefined) return NONE;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median, and for the compared figure the least and the most of the rounds. */
function cell(result: ScenarioResult, target: string, { key, digits, compared }: Metric): string {
  const summary = figure(result, target, key);
  if (summary === undefined) return NONE;
  const middle = formatNumber(summary.median, digits);
  const isSingle = (result.rounds.get(target)?.length ?? 0) < 2;
  if (compared === undefined || isSingle) return middle;
  return `${middle} (${formatNumber(summary.least, digits)}–${formatNumber(summary.most, digits)})`;
}

/** Heading and table of one scenario: a row for each target, the compared figure with its spread and its ratio to the floor. */
export function scenarioSection(result: ScenarioResult): string {
  const { scenario, rounds } = result;
  const { metrics } = scenario;
  const head = ['target', ...metrics.flatMap(({ title, compared }) => (compared ? [title, 'to the floor'] : [title]))];
  const rows = [...rounds.keys()].map((target) => [
    target,
    ...metrics.flatMap((metric) => {
      const text = cell(result, target, metric);
      if (metric.compared === undefined) return [text];
      const times = ratio(result, target, FLOOR, metric.key);
      return [text, times === undefined ? NONE : `${formatNumber(times, 2)}×`];
    }),
  ]);
  return `### ${scenario.name}: ${scenario.about}\n\n${markdownTable(head, rows)}`;
}
