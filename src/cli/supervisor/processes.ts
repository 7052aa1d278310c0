import { closeSync, lstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { formatDuration, terminalSafe } from '../../core/text.ts';
import { listeningAddresses, readCommand } from '../../host/ports.ts';
import type { Context } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { queryPort } from './health.ts';
import { type Inspection, isRowOf, type Worker } from './inspect.ts';
import { addressOf, type Instance, isCommandOf } from './instances.ts';
import type { Pm2, Pm2Row } from './pm2.ts';

/** How the start of one instance ended. */
export interface StartOutcome {
  readonly instance: Instance;
  readonly code: ExitCode;
  /** In ms, from the command to PM2 until now. */
  readonly elapsedMs: number;
  /** PM2's row, when the instance did not come up. */
  readonly row?: Pm2Row | undefined;
  /** The last lines of its console, when it did not come up. */
  readonly lastOutput: readonly string[];
}

/** How a start ended, in a line; when the instance did not come up, its last output is below. */
export function describeStart({ instance, code, elapsedMs, row, lastOutput }: StartOutcome): string {
  const { name } = instance;
  if (code === exitCodes.ok) return `${name} up on ${addressOf(instance)} in ${formatDuration(elapsedMs)}`;
  const output =
    lastOutput.length > 0 ? ['; it said:', ...lastOutput.map((line) => `    ${terminalSafe(line)}`)].join('\n') : '';
  if (code === exitCodes.notReady) {
    return `${name} does not answer on ${addressOf(instance)} after ${formatDuration(elapsedMs)}${output}`;
  }
  const retry = code === exitCodes.configuration ? '' : '; PM2 tries it again, ever more slowly';
  return `${name} ended at start (exit status ${row?.exitCode ?? 'unknown'})${retry}${output}`;
}

interface Progress {
  /** PM2's latest list; undefined until the start command is through. */
  rows?: readonly Pm2Row[];
  /** Aborted when nothing is left to wait for. */
  readonly end: AbortController;
}

const POLL_MS = 40;
const LIST_MS = 400;

/**
 * Starts instances in one go with PM2 (those of `awaited` are on their way already) and waits until each answers, has ended
 * or had its time; each outcome is handed over as soon as it is known.
 */
export async function spawnAndWait(
  pm2: Pm2,
  started: readonly Instance[],
  awaited: readonly Instance[],
  onOutcome: (outcome: StartOutcome) => void,
): Promise<void> {
  const progress: Progress = { end: new AbortController() };
  const outcomes = [...started, ...awaited].map(async (instance) => {
    const outcome = await awaitReady(instance, progress);
    if (outcome !== undefined) onOutcome(outcome);
  });
  const allKnown = Promise.all(outcomes).finally(() => progress.end.abort());
  await Promise.all([allKnown, startWithPm2(pm2, started, progress)]);
}

async function startWithPm2(pm2: Pm2, instances: readonly Instance[], progress: Progress): Promise<void> {
  const { end } = progress;
  try {
    if (instances.length > 0) await pm2.start(instances.map(({ name }) => name));
    while (!end.signal.aborted) {
      progress.rows = await pm2.list();
      await pause(LIST_MS, undefined, { signal: end.signal }).catch(() => {}); // it is cut short
    }
  } finally {
    end.abort();
  }
}

async function awaitReady(instance: Instance, progress: Progress): Promise<StartOutcome | undefined> {
  const { app } = instance;
  truncateWhenLarge(app.out_file);
  const offset = sizeOf(app.out_file);
  const startedAt = performance.now();
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    if (await isReady(instance)) return { instance, code: exitCodes.ok, elapsedMs, lastOutput: [] };
    if (progress.end.signal.aborted) return undefined; // PM2 itself has failed, and says why
    const row = progress.rows?.find((candidate) => isRowOf(candidate, instance));
    const ended = progress.rows !== undefined && hasEnded(row);
    if (ended || elapsedMs > app.listen_timeout) {
      const code = ended ? exitCodeFor(row) : exitCodes.notReady;
      return { instance, code, elapsedMs, row, lastOutput: readLastOutput(app.out_file, offset) };
    }
    await pause(POLL_MS);
  }
}

async function isReady({ name, config }: Instance): Promise<boolean> {
  const answer = config && (await queryPort(config.host, config.port));
  if (answer?.kind !== 'instance' || answer.health.instance !== name || answer.health.state !== 'serving') return false;
  return waitsAtPort(answer.health.pid, config?.port);
}

/**
 * Whether the process that an answer names is itself at the port. Another user who takes the port first can answer in the instance's
 * name, but not let the sockets of that process be seen. Where there is no /proc the answer has to do, as to look would take too long.
 */
async function waitsAtPort(pid: number, port: number | undefined): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await listeningAddresses(pid)).some((address) => address.port === port);
}

/** Whether a process has ended. A row that PM2 has just made counts no restart, unless the process died before it answered. */
export function hasEnded(row: Pm2Row | undefined): boolean {
  return row === undefined || row.restarts > 0 || !['online', 'launching'].includes(row.status);
}

/** What the exit status of an instance that has ended means for the command. */
export function exitCodeFor(row: Pm2Row | undefined): ExitCode {
  return row?.exitCode === exitCodes.configuration ? exitCodes.configuration : exitCodes.failed;
}

// What instances write to stdout and stderr goes through PM2 into logs/NAME/console.log.

const MAX_CONSOLE_BYTES = 1_000_000;
const MAX_READ_BYTES = 64_000;
const OUTPUT_LINES = 8;

/** Size in bytes; 0 when there is no such file. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Empties the file when it has become large, but not what a link leads to. PM2 keeps it open for appending, which goes on at the new end. */
export function truncateWhenLarge(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() && stats.size > MAX_CONSOLE_BYTES) truncateSync(file);
}

/** The last lines since the file had the given size, each once: an instance that PM2 starts over and over repeats itself. */
export function readLastOutput(file: string, offset: number): string[] {
  return [...new Set(readLinesSince(file, offset, OUTPUT_LINES))];
}

/** The last lines that were written after the file had the given size. */
export function readLinesSince(file: string, offset: number, count: number): string[] {
  const size = sizeOf(file);
  const start = Math.max(size < offset ? 0 : offset, size - MAX_READ_BYTES);
  const buffer = Buffer.alloc(size - start);
  if (buffer.length === 0) return [];
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, length).split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}

const STOP_POLL_MS = 50;

/** Whether {@link stopInstance} would do anything. */
export function isStoppable({ workers }: Inspection): boolean {
  return workers.length > 0;
}

/** Stops several at the same time, and says so before, as running answers may take their time, and after. */
export async function stopAll({ pm2, output }: Context, inspections: readonly Inspection[]): Promise<void> {
  if (inspections.length === 0) return;
  const names = inspections.map(({ instance }) => instance.name).join(', ');
  output.say(`Stopping ${names}; running answers may end first.`);
  const stopped = inspections.map(async (inspection) => {
    await stopInstance(pm2, inspection);
    output.say(`${inspection.instance.name} stopped`);
  });
  await output.wait(`stopping ${names}`, Promise.all(stopped));
}

/**
 * Stops what runs of an instance, after its running answers: PM2's apps, which are taken off PM2's list, and processes of ours that
 * PM2 has lost. Nothing happens when nothing runs.
 * @throws Failure when a process does not end.
 */
export async function stopInstance(pm2: Pm2, { instance, workers }: Inspection): Promise<void> {
  await Promise.all(workers.map((worker) => stopWorker(pm2, instance, worker)));
}

/** Stops one process of an instance, after its running answers. */
export async function stopWorker(pm2: Pm2, instance: Instance, { row, health }: Worker): Promise<void> {
  if (row !== undefined) await pm2.remove(row.id);
  else if (health !== undefined) await endProcess(health.pid, instance);
}

async function endProcess(pid: number, { name, app }: Instance): Promise<void> {
  const isAlive = async () => isCommandOf(await readCommand(pid), app);
  // Asked again directly before the signal: the number may by now belong to somebody else.
  if (await isAlive()) process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + app.kill_timeout;
  while (await isAlive()) {
    if (performance.now() > deadline) throw new Failure(`${name} (pid ${pid}) was asked to end and does not`);
    await pause(STOP_POLL_MS);
  }
}
