import { setTimeout as pause } from 'node:timers/promises';
import { sizeOf } from './consoleLog.ts';
import { type ExitCode, exitCodes } from './exitCodes.ts';
import { codeOfEnd, hasEnded, type LaunchOutcome, lastWords } from './launch.ts';
import { isRowOf, type Observation } from './observe.ts';
import { findParts } from './parts.ts';
import type { Pm2, Pm2Row } from './pm2.ts';

const POLL_MS = 40;

/**
 * Starts more processes of an instance beside those that serve, and waits until they serve, too. When one of them does not, all of
 * the new ones are removed again, and those from before go on.
 */
export async function addParts(pm2: Pm2, observation: Observation, count: number): Promise<LaunchOutcome> {
  const { instance, parts } = observation;
  const { app, name } = instance;
  const before = new Set(parts.map(({ health, row }) => health?.pid ?? row?.pid));
  const idsBefore = new Set(parts.map(({ row }) => row?.id));
  const offset = sizeOf(app.out_file);
  const startedAt = performance.now();
  await pm2.add(name, count);
  for (;;) {
    const elapsedMs = performance.now() - startedAt;
    const told = (await findParts(instance)).filter(({ pid, state }) => state === 'serving' && !before.has(pid));
    if (told.length >= count) return { instance, code: exitCodes.ok, elapsedMs, said: [] };
    const added = (await pm2.list()).filter((row) => isRowOf(row, instance) && !idsBefore.has(row.id));
    const ended = added.length < count ? undefined : added.find(hasEnded);
    if (ended !== undefined || elapsedMs > app.listen_timeout) {
      await Promise.all(added.map(({ id }) => pm2.remove(id)));
      return { instance, code: codeOf(ended), elapsedMs, row: ended, said: lastWords(app.out_file, offset) };
    }
    await pause(POLL_MS);
  }
}

function codeOf(ended: Pm2Row | undefined): ExitCode {
  return ended === undefined ? exitCodes.notReady : codeOfEnd(ended);
}
