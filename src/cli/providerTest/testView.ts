import { terminalSafe, wrapText } from '../../core/text.ts';
import type { Colour, Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { describeSpending, type ResultKind, type Spending, type TestRow } from './testResult.ts';

/** What was found out about one instance. */
export interface ProviderTestReport {
  readonly name: string;
  readonly provider: string;
  readonly rows: readonly TestRow[];
  readonly spending: Spending;
}

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

const colours: Readonly<Record<ResultKind, Colour>> = { ok: 'green', warn: 'yellow', fail: 'red', skipped: 'gray' };

function columnsOf(paint: Output['paint']): readonly Column<TestRow>[] {
  return [
    { title: 'check', cell: ({ check }) => terminalSafe(check) },
    { title: 'result', cell: ({ result }) => result, paint: (text, { result }) => paint(colours[result], text) },
    { title: 'ms', align: 'right', cell: ({ ms }) => (ms === undefined ? '-' : String(ms)) },
    { title: 'detail', minimum: 20, cell: ({ detail }) => terminalSafe(detail) },
  ];
}

/** Warnings and failures in full, as the table may cut them, and what to do about them. */
function remediesOf({ name, rows }: ProviderTestReport, columns: number | undefined): string[] {
  return rows.flatMap(({ check, result, detail, quirks, suggestions }) => {
    if (result !== 'fail' && result !== 'warn') return [];
    return [
      `${check}: ${detail}`,
      ...quirks.map((line) => `  -> set in envs/${name}.env: ${line}`),
      ...suggestions.map((sentence) => `  -> ${sentence}`),
    ].flatMap((line, index) => wrapText(terminalSafe(line), columns, index === 0 ? 2 : 5));
  });
}

/** Whose it is, table, remedies and costs for people. */
export function testText(report: ProviderTestReport, { paint, columns }: Pick<Output, 'paint' | 'columns'>): string {
  const remedies = remediesOf(report, columns);
  return [
    `${paint('bold', report.name)} (${report.provider})`,
    ...renderTable(columnsOf(paint), report.rows, columns),
    '',
    ...(remedies.length > 0 ? [...remedies, ''] : []),
    `Used: ${describeSpending(report.spending)}`,
  ].join('\n');
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function testJson(reports: readonly ProviderTestReport[]): string {
  const instances = reports.map(({ name, provider, rows, spending }) => ({
    name,
    provider,
    ok: isSuccess(rows),
    checks: rows.map(({ check, result, detail, ms, quirks, suggestions }) => ({
      check,
      result,
      detail,
      ms: ms ?? null,
      quirks,
      suggestions,
    })),
    cost: {
      requests: spending.requests,
      input_tokens: spending.input,
      cache_read_tokens: spending.cacheRead,
      cache_creation_tokens: spending.cacheWrite,
      output_tokens: spending.output,
      dollars: spending.dollars ?? null,
    },
  }));
  return JSON.stringify({ schema: SCHEMA, instances }, undefined, 2);
}

/** Whether nothing failed; a warning is no failure. */
export function isSuccess(rows: readonly TestRow[]): boolean {
  return rows.every(({ result }) => result !== 'fail');
}
