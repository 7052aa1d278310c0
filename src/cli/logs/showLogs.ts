import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import {
  byTime,
  entriesSince,
  inheritTimes,
  isWanted,
  type LogEntry,
  type LogFilter,
  lastEntries,
  mergeByTime,
  readEntry,
} from './logEntries.ts';
import { listLogNames, type OpenLog, openLog, openLogs } from './logFiles.ts';
import { LogFollower } from './logFollower.ts';
import { instanceColours, jsonEntry, readableEntry } from './logView.ts';

const POLL_MS = 200;
const DEFAULT_LINES = 20;

/** Where an instance writes its log. */
export function logDirectory(root: string, { name, config }: Instance): string {
  return join(config?.logs.directory ?? join(root, 'logs'), name);
}

/** Shows lines of the instances' logs in the order of time, and with --follow what comes. */
export async function showLogs(
  context: Context,
  invocation: Invocation<'follow' | 'errors' | 'since' | 'id' | 'lines' | 'json'>,
): Promise<ExitCode> {
  const { root, output } = context;
  const { since, id, errors: errorsOnly, follow } = invocation;
  const isSearch = since !== undefined || id !== undefined;
  const lines = invocation.lines ?? (isSearch ? Number.POSITIVE_INFINITY : DEFAULT_LINES);
  const all = loadInstances(root);
  const instances = selectInstances(root, all, invocation.names);
  const show = entryPrinter(context, invocation, instances, all);
  const filter = { errorsOnly, since, id };

  const opened = (
    await Promise.all(instances.map((instance) => openLogs(logDirectory(root, instance), instance.name)))
  ).flat();
  let shown = 0;
  for await (const entry of pastEntries(opened, lines, filter)) {
    show(entry);
    shown += 1;
  }
  if (shown === 0 && lines > 0) output.say(errorsOnly || isSearch ? 'No such lines.' : 'Nothing is logged yet.');
  const folders = new Map(instances.map((instance) => [logDirectory(root, instance), instance.name]));
  if (follow) await followLogs(opened, folders, filter, show);
  await Promise.all(opened.map(({ active }) => active?.close()));
  return exitCodes.ok;
}

function entryPrinter(
  { output }: Context,
  { json }: Invocation<'json'>,
  instances: readonly Instance[],
  all: readonly Instance[],
): (entry: LogEntry) => void {
  if (json) return (entry) => output.print(jsonEntry(entry));
  if (instances.length === 1) return (entry) => output.print(readableEntry(entry, output.paint));
  const width = Math.max(...instances.map(({ name }) => name.length));
  const colours = instanceColours(all.map(({ name }) => name));
  return (entry) => {
    const name = output.paint(colours.get(entry.instance) ?? 'bold', entry.instance.padEnd(width));
    output.print(`${name}  ${readableEntry(entry, output.paint)}`);
  };
}

async function* pastEntries(opened: readonly OpenLog[], count: number, filter: LogFilter): AsyncGenerator<LogEntry> {
  if (count === Number.POSITIVE_INFINITY) {
    yield* mergeByTime(opened.map((log) => entriesSince(log, filter)));
    return;
  }
  const last = await Promise.all(opened.map((log) => lastEntries(log, count, filter)));
  const merged = last.flat().sort(byTime);
  yield* merged.slice(Math.max(0, merged.length - count));
}

/** Shows what comes, until a signal ends the process. */
async function followLogs(
  opened: readonly OpenLog[],
  folders: LogFolders,
  filter: LogFilter,
  show: (entry: LogEntry) => void,
): Promise<never> {
  const followers = opened.map((log) => new LogFollower(log));
  for (;;) {
    followers.push(...(await followNewcomers(followers, folders)));
    const entries = await Promise.all(
      followers.map(async (follower) =>
        inheritTimes((await follower.read()).map((line) => readEntry(follower.log.instance, line))),
      ),
    );
    for (const entry of entries.flat().sort(byTime)) if (isWanted(entry, filter)) show(entry);
    await pause(POLL_MS);
  }
}

/** The folders of the logs of some instances, with the name of the instance. */
export type LogFolders = ReadonlyMap<string, string>;

/** An instance that starts for the first time, and a process that is put beside another one, begin a log of their own. */
export async function followNewcomers(
  followers: readonly LogFollower[],
  folders: LogFolders,
): Promise<LogFollower[]> {
  const found = await Promise.all(
    [...folders].map(async ([directory, instance]) => {
      const names = await listLogNames(directory, instance);
      const added = names.filter(
        (name) => !followers.some(({ log }) => log.directory === directory && log.name === name),
      );
      return Promise.all(added.map(async (name) => new LogFollower(await openLog(directory, instance, name), 0)));
    }),
  );
  return found.flat();
}
