import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_TIMEOUT_MS } from '../../config/config.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { formatDuration, terminalSafe, wrapText } from '../../core/text.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { conditionTable, conditionText, describeError } from '../supervisor/condition.ts';
import { countFallbacks, providerTrouble } from '../supervisor/health.ts';
import { type Inspection, inspect, isWorkerServing, listAll } from '../supervisor/inspect.ts';
import {
  addressOf,
  describeIgnoredEnvFiles,
  type Instance,
  isSound,
  selectInstances,
} from '../supervisor/instances.ts';
import { type Hint, isUp } from '../supervisor/state.ts';
import { formatBytes, localTime, nameProgram, type Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import {
  describeEntry,
  keyOf,
  modelsOf,
  pidOf,
  portOf,
  providerOf,
  type RunningPage,
  type StatusEntry,
  statusJson,
} from './statusEntry.ts';

const WATCH_MS = 2000;

/** Shows all instances or the named ones; fails with 3 when something is wrong with one of them. */
export async function showState(
  context: Context,
  invocation: Invocation<'json' | 'allUp' | 'watch'>,
): Promise<ExitCode> {
  const { output } = context;
  const { names, json, allUp, watch } = invocation;
  if (watch && !json && output.columns !== undefined) {
    const { showLive } = await import('../top/screen.ts');
    await showLive(WATCH_MS, async () => {
      const { entries, notes } = await findState(context, names);
      const time = localTime(new Date().toISOString()).slice(11);
      return ({ columns }) => [
        ...[`${time}  every ${WATCH_MS / 1000} s; q ends`, ''],
        ...statusText(entries, { ...output, columns }).split('\n'),
        ...wrapNotes(notes, { columns, program: output.program }),
      ];
    });
    return exitCodes.ok;
  }
  const { entries, notes, page } = await findState(context, names);
  printStatus(context, entries, json, page);
  if (!json) for (const line of wrapNotes(notes, output)) output.say(line);
  const isGood = ({ report, state }: StatusEntry) => (allUp ? isUp(state) : !conditionTable[report.condition].isWrong);
  return entries.every(isGood) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Lines that break between words, with the manager as the user called it. */
function wrapNotes(notes: readonly string[], { columns, program }: Pick<Output, 'columns' | 'program'>): string[] {
  return notes.flatMap((note) => nameProgram(note, program).split('\n')).flatMap((line) => wrapText(line, columns, 2));
}

/** The instances as they are now, and what there is to say about them. */
async function findState(context: Context, names: readonly string[]) {
  const { root } = context;
  const { rows, instances } = await listAll(context);
  const selected = selectInstances(root, instances, names);
  const entries = await Promise.all((await inspect(rows, selected)).map(describeEntry));
  const page = await findPage(root);
  const notes = [
    ...(instances.length === 0
      ? ['There are no env files yet: ./manage init sets one up, ./manage start all makes them from the examples.']
      : []),
    ...describeIgnoredEnvFiles(root, instances).map(terminalSafe),
    ...entries.flatMap(({ hint, state }) => (state === 'port taken' ? [] : (hint ?? []))),
    ...summarizeProblems(selected),
    ...(page === undefined
      ? []
      : [`The page is on http://127.0.0.1:${page.port} (pid ${page.pid}); open it with: ./manage ui`]),
  ];
  return { entries, notes, page };
}

/** The page, if there may be one: most people have none, and all that it needs is not loaded for them. */
async function findPage(root: string): Promise<RunningPage | undefined> {
  if (!existsSync(join(root, 'state', 'page.json'))) return undefined;
  return (await import('../ui/pageProcess.ts')).findPage(root);
}

/** More lines than these would push the table off the screen. */
const MOST_PROBLEMS = 4;

/** What is wrong with env files, in full where that is little, else counted. */
function summarizeProblems(instances: readonly Instance[]): string[] {
  const problems = instances.flatMap((instance) => instance.problems);
  if (problems.length <= MOST_PROBLEMS) return problems.length === 0 ? [] : [formatProblems(problems)];
  const counts = instances.flatMap(({ problems: own, name }) => {
    const errors = own.filter(({ severity }) => severity === 'error').length;
    const parts = [countOf(errors, 'error'), countOf(own.length - errors, 'warning')].filter((part) => part !== '');
    return parts.length === 0 ? [] : [`envs/${name}.env: ${parts.join(', ')}`];
  });
  return [...counts, '    -> ./manage doctor shows each, and how to repair it'];
}

function countOf(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Prints the state of the instances as it was found, as a table or as JSON. */
export async function showStatus(
  context: Context,
  inspections: readonly Inspection[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(inspections.map(describeEntry));
  printStatus(context, entries, json, json ? await findPage(context.root) : undefined);
  return entries;
}

function printStatus(
  { output }: Context,
  entries: readonly StatusEntry[],
  json: boolean,
  page: RunningPage | undefined,
): void {
  if (json) output.print(statusJson(entries, page));
  else if (entries.length > 0) output.print(statusText(entries, output));
}

/**
 * The end of `start` and `restart`: the table, and the line to copy for the first instance that can be used. One that only lacks a
 * key comes after those that lack nothing.
 */
export async function showResult(context: Context, inspections: readonly Inspection[], json: boolean): Promise<void> {
  const entries = await showStatus(context, inspections, json);
  const usable = (['ready', 'no key'] as const).flatMap((condition) =>
    entries.filter(({ report, inspection }) => report.condition === condition && isSound(inspection.instance)),
  );
  if (usable[0] !== undefined) context.output.say(useLine(usable[0].inspection.instance));
}

/**
 * How Claude Code uses an instance, with ./manage and by hand, and what to put in where a secret belongs, which is never
 * printed.
 */
export function useLine(instance: Instance): string {
  const { run, byHand, note } = useCommands(instance);
  return [`Use it: ${run}`, `    or: ${byHand}`, ...(note === undefined ? [] : [`(${note})`])].join('\n');
}

/** How Claude Code uses an instance. */
export interface UseCommands {
  /** With ./manage. */
  readonly run: string;
  readonly byHand: string;
  /** What a word in capitals stands for, where a secret belongs. */
  readonly note?: string;
}

/** The commands by which Claude Code uses an instance; they hold no secret. */
export function useCommands(instance: Instance): UseCommands {
  const { config, name } = instance;
  const address = `ANTHROPIC_BASE_URL=http://${addressOf(instance)}`;
  // Without it, the client gives up an answer that is not streamed after ten minutes at most.
  const claude = `API_TIMEOUT_MS=${CLIENT_TIMEOUT_MS} claude`;
  const run = `./manage run ${name}`;
  if (config?.clientToken !== undefined) {
    const note = `TOKEN is the ANTHROPIC_API_KEY of envs/${name}.env`;
    return { run, byHand: `${address} ANTHROPIC_AUTH_TOKEN=TOKEN ${claude}`, note };
  }
  if (config?.provider.key.source !== 'client')
    return { run, byHand: `${address} ANTHROPIC_AUTH_TOKEN=unused ${claude}` };
  const { preset } = config.provider;
  // Claude Code's own login goes on to Anthropic itself.
  if (preset.servesClaude === true) return { run, byHand: `${address} ${claude}` };
  const key = 'ANTHROPIC_AUTH_TOKEN=KEY';
  const note = `KEY is your key for ${preset.title}, as envs/${name}.env holds none`;
  return { run: `${key} ${run}`, byHand: `${address} ${key} ${claude}`, note };
}

const NOTHING = '-';

/** How it is to look; without columns it is for a pipe. */
type Look = Pick<Output, 'paint' | 'columns' | 'program'>;

/** The table of `status`, and below it what keeps instances from being ready. */
export function statusText(entries: readonly StatusEntry[], look: Look): string {
  const notes = statusNotes(entries, look);
  return [...statusTable(entries, look).split('\n'), ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

/** The last error of each instance in full, or why it cannot be used, with the command that helps. */
function statusNotes(entries: readonly StatusEntry[], { paint, columns, program }: Look): string[] {
  const keyless = entries.filter(({ report }) => report.condition === 'no key');
  const single = keyless.length > 1 ? entries.filter((entry) => !keyless.includes(entry)) : entries;
  const together = {
    names: keyless.map(({ inspection }) => inspection.instance.name).join(', '),
    hint: { problem: 'no key, and no client has sent one', remedy: 'set the key: ./manage key NAME' },
  };
  const notes = [
    ...single.flatMap((entry) => {
      const names = entry.inspection.instance.name;
      const colour = conditionTable[entry.report.condition].colour;
      return [...entryHints(entry), ...supplyHints(entry)].map((hint) => ({ names, hint, colour }));
    }),
    ...(keyless.length > 1 ? [{ ...together, colour: conditionTable['no key'].colour }] : []),
  ];
  return notes.flatMap(({ names, hint, colour }) => {
    const lines = [`${names}: ${hint.problem}`, ...(hint.remedy === undefined ? [] : [`  -> ${hint.remedy}`])];
    const [first = '', ...others] = lines.flatMap((line, index) =>
      wrapText(nameProgram(terminalSafe(line), program), columns, index === 0 ? 2 : 5),
    );
    return [`${paint(colour, first.slice(0, names.length + 1))}${first.slice(names.length + 1)}`, ...others];
  });
}

/** Why an instance is not ready, and what else has gone wrong with it of late. */
export function entryHints(entry: StatusEntry): Hint[] {
  const hints = [entry.report.hint, restartsHint(entry), lastErrorHint(entry), refusedSearchHint(entry)];
  return hints.filter((hint) => hint !== undefined);
}

/** In seconds; a restart that is longer ago is a number in the table. */
const RECENT_SECONDS = 86_400;

/** PM2 has started it again by itself, not long ago. */
function restartsHint({ inspection: { row, instance }, health }: StatusEntry): Hint | undefined {
  const restarts = row?.restarts ?? 0;
  const { uptime_seconds: uptime, started_at: startedAt } = health ?? {};
  if (restarts === 0 || uptime === undefined || uptime > RECENT_SECONDS) return undefined;
  const times = restarts === 1 ? 'once' : `${restarts} times`;
  return {
    problem: `ended by itself and was restarted ${times}, last ${localTime(startedAt).slice(11)}`,
    remedy: `why: ${instance.app.out_file}`,
  };
}

/** The last error of one that is ready again, or has another fault by now. */
function lastErrorHint({ report, health }: StatusEntry): Hint | undefined {
  const error = health?.last_error;
  if (error == null || report.hint !== undefined) return undefined;
  return { problem: `last error ${describeError(error)}` };
}

/** Claude Code has asked for searches of the web, and nobody does them. */
function refusedSearchHint({ health }: StatusEntry): Hint | undefined {
  const { back_end: backEnd, refused = 0 } = health?.web_search ?? {};
  if (backEnd != null || refused === 0) return undefined;
  const times = refused === 1 ? 'a web search was' : `${refused} web searches were`;
  return { problem: `${times} refused, as nobody does them`, remedy: 'WEB_SEARCH (docs/SEARCH.md)' };
}

/** What an instance supplies where its model or the model's server cannot; who describes pictures is in the table. */
export function supplyHints({ health }: StatusEntry): Hint[] {
  const { back_end: backEnd, searches = 0, failed = 0, last_failure: last } = health?.web_search ?? {};
  const { most, limited_sessions: limited = 0, left_out: leftOut = 0 } = health?.tools ?? {};
  const failures = failed === 0 ? '' : `, ${failed} failed, last ${localTime(last?.at).slice(11)}: ${last?.reason}`;
  const sessions = limited === 1 ? 'one session' : `${limited} sessions`;
  const chosen = limited === 0 ? '' : `; ${sessions} had more, ${leftOut} were left out of the latest request`;
  return [
    ...(backEnd == null ? [] : [`searches the web by ${backEnd}: ${searches} done${failures}`]),
    ...(most == null ? [] : [`chooses ${most} tools where a session has more (docs/TOOLS.md)${chosen}`]),
  ].map((problem) => ({ problem }));
}

/** The table of `status` for the terminal, or for a pipe when it has no width. */
export function statusTable(
  entries: readonly StatusEntry[],
  { paint, columns }: Pick<Output, 'paint' | 'columns'>,
): string {
  const [header = '', ...lines] = renderTable(statusColumns(paint), entries, columns);
  return [paint('bold', header), ...lines].join('\n');
}

function statusColumns(paint: Output['paint']): readonly Column<StatusEntry>[] {
  const columns: readonly Column<StatusEntry>[] = [
    { title: 'name', cell: ({ inspection }) => inspection.instance.name },
    {
      title: 'state',
      cell: stateText,
      paint: (text, { report }) => paint(conditionTable[report.condition].colour, text),
    },
    { title: 'port', align: 'right', cell: (entry) => optional(portOf(entry), String) },
    { title: 'provider', dropOrder: 1, cell: providersText },
    { title: 'models (big / middle / small)', minimum: 12, dropOrder: 6, cell: modelsText },
    { title: 'key', dropOrder: 4, cell: (entry) => optional(keyOf(entry), String) },
    { title: 'uptime', align: 'right', dropOrder: 3, cell: uptimeText },
    {
      title: 'memory',
      align: 'right',
      dropOrder: 5,
      cell: ({ health }) => optional(health?.memory_bytes, formatBytes),
    },
    { title: 'requests', align: 'right', dropOrder: 2, cell: requestsText },
    { title: 'pid', align: 'right', dropOrder: 7, cell: pidText },
  ];
  return columns.map((column) => ({ ...column, cell: (entry) => terminalSafe(column.cell(entry)) }));
}

function optional<T>(value: T | null | undefined, format: (value: T) => string): string {
  return value == null ? NOTHING : format(value);
}

/** With what is wrong with one of several providers, as long as another can be asked. */
function providersText(entry: StatusEntry): string {
  const { health, report } = entry;
  const name = optional(providerOf(entry), String);
  const fallbacks = health === undefined ? 0 : countFallbacks(health);
  const trouble = health === undefined || report.condition !== 'ready' ? '' : providerTrouble(health);
  return [fallbacks > 0 ? `${name} +${fallbacks}` : name, ...(trouble === '' ? [] : [`(${trouble})`])].join(' ');
}

function modelsText(entry: StatusEntry): string {
  const { big, middle, small } = modelsOf(entry);
  const models = [big, middle, small].map((model) => optional(model, String));
  const tiers = new Set(models).size === 1 ? (models[0] ?? NOTHING) : models.join(' / ');
  const vision =
    entry.health === undefined ? entry.inspection.instance.config?.vision?.label : entry.health.vision?.model;
  return vision === undefined ? tiers : `${tiers}, pictures by ${vision}`;
}

/** More than one process is worth a word. */
export function stateText({ report, state, inspection: { workers, row } }: StatusEntry): string {
  const condition = conditionText(report.condition, row?.restarts ?? 0);
  const words = state === 'unsupervised' ? `${condition}, not supervised` : condition;
  if (workers.length < 2) return words;
  const serving = workers.filter(isWorkerServing).length;
  return `${words} (${serving === workers.length ? serving : `${serving} of ${workers.length}`} processes)`;
}

/** With how often PM2 has started it again. */
function uptimeText({ health, inspection: { row } }: StatusEntry): string {
  const uptime = optional(health?.uptime_seconds, (seconds) => formatDuration(seconds * 1000));
  const restarts = health === undefined ? 0 : (row?.restarts ?? 0);
  return restarts === 0 ? uptime : `${uptime} (${restarts} ${restarts === 1 ? 'restart' : 'restarts'})`;
}

function pidText(entry: StatusEntry): string {
  const pids = entry.inspection.workers.flatMap(({ row, health }) => health?.pid ?? (row?.pid || []));
  return pids.length > 1 ? pids.join(' ') : optional(pidOf(entry), String);
}

function requestsText({ health }: StatusEntry): string {
  if (health === undefined) return NOTHING;
  const { total = 0, failed = 0 } = health.requests ?? {};
  return failed === 0 ? String(total) : `${total} (${failed} failed)`;
}
