import { isAbsolute } from 'node:path';
import { firstOfDays } from '../../core/clock.ts';
import { terminalSafe, terminalSafeJson } from '../../core/text.ts';
import { type DayRange, FIRST_DAY, isCostUnknown, LAST_DAY, type UsageGrouping } from '../../telemetry/usage/totals.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { loadInstances, selectInstances } from '../supervisor/instances.ts';
import { localTime, type Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import {
  type InstanceUsage,
  mergeUsage,
  readDatabases,
  readFolders,
  readUsage,
  readUsages,
  totalLine,
  type UsageLine,
} from './read.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Shows what instances have used in the last days; fails with 1 when the file of one cannot be read. */
export async function showUsage(
  { root, output, environment }: Context,
  invocation: Invocation<'days' | 'day' | 'fromDay' | 'toDay' | 'by' | 'postgres' | 'json' | 'csv'>,
): Promise<ExitCode> {
  const { names, by, postgres, json, csv } = invocation;
  const range = dayRange(invocation, Date.now());
  const folders = by === 'project' ? { names: readFolders(environment) } : {};
  const instances = loadInstances(root);
  const { usages, failures } = postgres
    ? await readDatabases(instances, names, { by, range, ...folders })
    : readUsages(
        root,
        selectInstances(root, instances, names),
        (path, name): InstanceUsage => ({ name, ...folders, ...readUsage(path, by, range) }),
      );
  for (const { name, message } of failures) output.complain(`${name}: ${message}`);
  const lines = mergeUsage(usages, by);
  if (json) output.print(usageJson(lines, by, range));
  else if (csv) output.print(usageCsv(lines, by));
  else if (lines.length === 0) output.say(`Nothing was used ${describeRange(range)}.`);
  else {
    output.print(usageTable(lines, by, output));
    const { checks, sideCalls, unpriced, searches, searchCost } = totalLine(lines);
    if (by === 'project' && lines.some(({ group, name = group }) => !isAbsolute(name))) {
      output.say(
        '- named no folder; a hash is a folder that Claude Code on this machine does not know: USAGE_PROJECTS=names keeps names.',
      );
    }
    if (checks > 0) output.say('Checks are questions of the instances’ own whether a provider answers (health_check).');
    if (sideCalls > 0)
      output.say('Side calls are questions to the model of VISION_MODEL or VISION_URL; --by side has them apart.');
    if (searches > 0) {
      const noun = searches === 1 ? 'search' : 'searches';
      output.say(
        `Beside that, ${count.format(searches)} ${noun} of the web cost $${searchCost.toFixed(4)} (WEB_SEARCH).`,
      );
    }
    if (unpriced > 0) {
      const all = ['request', checks > 0 ? 'check' : '', sideCalls > 0 ? 'side call' : ''].filter(
        (word) => word !== '',
      );
      const nouns = all.map((noun) => (unpriced === 1 ? noun : `${noun}s`)).join(' or ');
      output.say(`? is what ${unpriced} ${nouns} cost whose price is unknown; PRICES_FILE takes prices of your own.`);
    }
  }
  return failures.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The days that the options name; without any the last 30. */
export function dayRange(
  {
    day,
    fromDay,
    toDay,
    days,
  }: Pick<Invocation<'days' | 'day' | 'fromDay' | 'toDay'>, 'days' | 'day' | 'fromDay' | 'toDay'>,
  now: number,
): DayRange {
  const dayOf = (word: string) => {
    const daysAgo = ['today', 'yesterday'].indexOf(word);
    return daysAgo < 0 ? word : firstOfDays(daysAgo + 1, now);
  };
  if (day !== undefined) return { first: dayOf(day), last: dayOf(day) };
  const earliest = toDay === undefined ? firstOfDays(days, now) : FIRST_DAY;
  const first = fromDay === undefined ? earliest : dayOf(fromDay);
  const last = toDay === undefined ? LAST_DAY : dayOf(toDay);
  if (first > last) throw new Failure(`--from ${first} is later than --to ${last}`, exitCodes.usage);
  return { first, last };
}

function describeRange({ first, last }: DayRange): string {
  if (first === last) return `on ${first}`;
  if (first === FIRST_DAY) return `until ${last}`;
  return last === LAST_DAY ? `since ${first}` : `from ${first} to ${last}`;
}

const count = new Intl.NumberFormat('en-US');

/** The table for people, the total below it. */
export function usageTable(
  lines: readonly UsageLine[],
  by: UsageGrouping,
  { paint, columns: width }: Pick<Output, 'paint' | 'columns'>,
): string {
  const total = totalLine(lines);
  return renderTable(columns(by, total, paint), [...lines, total], width).join('\n');
}

function columns(by: UsageGrouping, total: UsageLine, paint: Output['paint']): readonly Column<UsageLine>[] {
  const tokens = (title: string, read: (line: UsageLine) => number, dropOrder: number): Column<UsageLine> => ({
    title,
    align: 'right',
    dropOrder,
    cell: (line) => count.format(read(line)),
  });
  const lastUse: Column<UsageLine> = {
    title: 'last request',
    dropOrder: 5,
    cell: ({ last }) => (last === 0 ? '' : localTime(new Date(last).toISOString()).slice(0, 16)),
  };
  const all: readonly Column<UsageLine>[] = [
    {
      title: by,
      minimum: by === 'session' ? SESSION_COLUMNS : by === 'project' ? FOLDER_COLUMNS : 10,
      keepsEnd: by === 'project',
      cell: ({ group, name = group }) => terminalSafe(name),
    },
    ...(by === 'session' ? [lastUse] : []),
    { title: 'requests', align: 'right', cell: requestsText },
    tokens('input', wholeInput, 1),
    tokens('of it cached', ({ cacheRead }) => cacheRead, 3),
    tokens('output', ({ output }) => output, 2),
    tokens('of it reasoning', ({ reasoning }) => reasoning, 4),
    { title: 'cost', align: 'right', cell: costText },
  ];
  return all.map((column) => ({ ...column, paint: (text, line) => (line === total ? paint('bold', text) : text) }));
}

/** A session's id is of use only as a whole. */
const SESSION_COLUMNS = 36;
/** Of a folder so much shows which it is. */
const FOLDER_COLUMNS = 28;

/** `$1.2345`, `?` when nothing is known, and with a `?` how many requests and checks have no price. */
export function costText(line: UsageLine): string {
  const { cost, unpriced } = line;
  if (unpriced === 0) return `$${cost.toFixed(4)}`;
  return isCostUnknown(line) ? `? (${count.format(unpriced)})` : `$${cost.toFixed(4)} + ? (${count.format(unpriced)})`;
}

/** `1,202 (1 failed) + 12 checks + 3 side calls`, without what there is none of. */
function requestsText({ requests, failed, checks, sideCalls }: UsageLine): string {
  const failures = failed === 0 ? '' : ` (${count.format(failed)} failed)`;
  const own = checks === 0 ? '' : ` + ${count.format(checks)} ${checks === 1 ? 'check' : 'checks'}`;
  const side = sideCalls === 0 ? '' : ` + ${count.format(sideCalls)} side ${sideCalls === 1 ? 'call' : 'calls'}`;
  return count.format(requests) + failures + own + side;
}

function wholeInput({ input, cacheRead, cacheWrite }: UsageLine): number {
  return input + cacheRead + cacheWrite;
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function usageJson(lines: readonly UsageLine[], by: UsageGrouping, { first, last }: DayRange): string {
  const rows = lines.map((line) => ({ [by]: line.group, ...usageFields(line), ...nameField(line, by) }));
  const days = { first_day: first, last_day: last === LAST_DAY ? null : last };
  const usages = { schema: SCHEMA, by, ...days, rows, total: usageFields(totalLine(lines)) };
  return terminalSafeJson(JSON.stringify(usages, undefined, 2));
}

/** Sessions and projects are known by two names: the hash under which they are kept, and the user's. */
function nameField({ name }: UsageLine, by: UsageGrouping): Readonly<Record<string, string | null>> {
  if (by === 'session') return { session_id: name ?? null };
  return by === 'project' ? { folder: name ?? null } : {};
}

/** A line by the names that programs see. */
export function usageFields(line: UsageLine) {
  return {
    requests: line.requests,
    failed_requests: line.failed,
    input_tokens: wholeInput(line),
    cache_read_tokens: line.cacheRead,
    cache_creation_tokens: line.cacheWrite,
    output_tokens: line.output,
    reasoning_tokens: line.reasoning,
    cost_usd: isCostUnknown(line) ? null : Number(line.cost.toFixed(6)),
    unpriced_requests: line.unpriced,
    last_request_at: line.last === 0 ? null : new Date(line.last).toISOString(),
    health_checks: line.checks,
    side_calls: line.sideCalls,
    web_searches: line.searches,
    search_cost_usd: Number(line.searchCost.toFixed(6)),
  };
}

/** The same for a spreadsheet (RFC 4180), without a total. What is unknown is empty. */
export function usageCsv(lines: readonly UsageLine[], by: UsageGrouping): string {
  const total = totalLine([]);
  const header = [by, ...Object.keys(usageFields(total)), ...Object.keys(nameField(total, by))];
  const rows = lines.map((line) =>
    [line.group, ...Object.values(usageFields(line)), ...Object.values(nameField(line, by))].map(csvCell),
  );
  return [header, ...rows].map((cells) => cells.join(',')).join('\n');
}

/** How a spreadsheet recognises a formula, also by the wide letters of East Asian keyboards. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** Names of models are words of providers and clients: they must not become formulas, nor control a terminal. */
function csvCell(value: string | number | null): string {
  const safe = terminalSafe(String(value ?? ''));
  const text = typeof value === 'string' && FORMULA.test(safe) ? `'${safe}` : safe;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
