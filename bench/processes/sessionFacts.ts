import { readdirSync, readFileSync } from 'node:fs';

/** What Linux knows of a target: all processes of the session that was made for it, together. */

/** Length of a clock tick in /proc/PID/stat; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

/** Processes come and go while they are looked at: one that has ended has no facts. */
function readProcFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The fields of /proc/PID/stat behind the name, which may hold anything; the first is the state, number 3 of proc(5). */
function statFields(pid: string): string[] {
  const text = readProcFile(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The field with its number of proc(5). */
function field(fields: readonly string[], number: number): number {
  return Number(fields[number - 3] ?? 0);
}

function sessionProcesses(session: number): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && field(statFields(name), 6) === session);
}

/** Processor time of the session so far, in seconds, to a hundredth. */
export function cpuSeconds(session: number): number {
  const ticks = sessionProcesses(session).map((pid) => {
    const fields = statFields(pid);
    return [14, 15, 16, 17].reduce((sum, number) => sum + field(fields, number), 0);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

function sumMib(session: number, file: string, line: RegExp): number {
  const amounts = sessionProcesses(session).map((pid) => Number(line.exec(readProcFile(pid, file))?.[1] ?? 0));
  return amounts.reduce((sum, one) => sum + one, 0) / KIB_PER_MIB;
}

/** Memory in use, in MiB; pages that others share count in full. */
export const residentMib = (session: number): number => sumMib(session, 'smaps_rollup', /^Rss: +(\d+)/m);

/** Memory in use, in MiB; a page that N processes share counts as one Nth. */
export const proportionalMib = (session: number): number => sumMib(session, 'smaps_rollup', /^Pss: +(\d+)/m);

/** The most that was ever in use, in MiB. */
export const peakResidentMib = (session: number): number => sumMib(session, 'status', /^VmHWM:\s+(\d+)/m);
