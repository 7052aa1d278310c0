import { goalsTable } from './goals.ts';
import type { ScenarioResult } from './results.ts';
import { scenarioSection } from './scenarioSection.ts';

const BEGIN = '<!-- Written by `npm run bench -- --write`. -->';
const END = '<!-- End of what is written. -->';

/** All tables of a run. */
export function renderReport(run: string, results: readonly ScenarioResult[]): string {
  return [run, goalsTable(results), ...results.map(scenarioSection)].join('\n\n');
}

/** The page with the tables of another run in the place of the old ones. */
export function replaceReport(page: string, report: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the page has no place for the tables, between ${BEGIN} and ${END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${report}\n\n${page.slice(to)}`;
}
