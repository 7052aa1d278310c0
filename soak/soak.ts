import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../bench/processes/freePort.ts';
import type { Arguments } from './arguments.ts';
import { editOften, reloadOften } from './disturb.ts';
import { createScripts } from './load/scripts.ts';
import { addFailure, createTally, type Tally, totalOf } from './load/tally.ts';
import { runUser } from './load/user.ts';
import { descriptorCount } from './processes/processFacts.ts';
import { type Settings, SoakInstance } from './processes/soakInstance.ts';
import { startUpstream } from './processes/upstreamProcess.ts';
import { readLogs } from './readLogs.ts';
import type { Sample } from './report/sample.ts';
import { watch } from './watch.ts';

/** The share of the users whose instance is reloaded every few minutes; the memory of the other one is watched. */
const RELOADED_SHARE = 0.2;
const REPORT_EVERY_MS = 60_000;

const SETTINGS = {
  OPENAI_API_KEY: 'sk-soak-0123456789abcdef',
  BIG_MODEL: 'bench',
  SMALL_MODEL: 'bench',
  MAX_RETRIES: '1',
  QUIRK_IDLE_TIMEOUT_MS: '3000',
  LOG_MAX_SIZE: '64K',
  LOG_MAX_TOTAL: '1M',
  // The faults are ours: they must not keep the other requests away.
  BREAKER_FAILURES: '1000',
};

export interface SoakRun {
  readonly tally: Tally;
  readonly samples: readonly Sample[];
  readonly edits: number;
  readonly brokenEdits: number;
  readonly rollingReloads: number;
  readonly rotatedLogs: number;
  readonly faultsOfOurOwn: number;
  readonly descriptors: { readonly before: number; readonly after: number };
  readonly timers: { readonly before: number; readonly after: number };
}

async function lookAtRest(instance: SoakInstance) {
  return { descriptors: descriptorCount(instance.pid), timers: (await instance.facts()).timers };
}

type SoakOptions = Pick<Arguments, 'minutes' | 'users' | 'restSeconds' | 'binary'>;

export interface Surroundings {
  /** Each instance gets a folder of its own below it. */
  readonly folder: string;
  /** Where programs are found. */
  readonly searchPath: string | undefined;
}

/** Puts two instances under load: one is watched, the other reloaded. */
export async function runSoak(
  { minutes, users, restSeconds, binary }: SoakOptions,
  { folder, searchPath }: Surroundings,
  report: (line: string) => void,
): Promise<SoakRun> {
  const upstream = await startUpstream();
  const settings = { ...SETTINGS, OPENAI_BASE_URL: `http://127.0.0.1:${upstream.port}/v1` };
  const create = async (name: string, command: readonly string[], more: Settings = {}) =>
    new SoakInstance({
      command,
      folder: join(folder, name),
      port: await freePort(),
      settings: { ...settings, ...more },
      searchPath,
    });
  const probe = ['--expose-gc', '--require', join(import.meta.dirname, 'probe.cjs'), join(binary, '../main.cjs')];
  // Without its rights taken away, as the process starts itself again for that, without the probe.
  const watched = await create('watched', [process.execPath, ...probe], { PERMISSION_MODEL: 'off' });
  const reloaded = await create('reloaded', [binary, '--share']);
  await Promise.all([watched.start(), reloaded.start()]);

  const before = await lookAtRest(watched);
  const end = new AbortController();
  const { signal: over } = end;
  const tally = createTally();
  const scripts = createScripts();
  const rolling = reloadOften(reloaded, over);
  const worlds = Array.from({ length: users }, (_, index) =>
    index < users * RELOADED_SHARE
      ? { port: reloaded.port, isMoving: rolling.isMoving }
      : { port: watched.port, isMoving: () => false },
  );
  const working = worlds.map((world) => runUser({ ...world, scripts, tally, over }));
  const samples = watch(watched, over);
  const editing = editOften(watched, over);
  const reporting = setInterval(() => report(`${totalOf(tally)} requests, ${tally.failed} failed`), REPORT_EVERY_MS);

  await Promise.race([sleep(minutes * 60_000), editing, rolling.over, samples, ...working]);
  end.abort();
  clearInterval(reporting);
  await Promise.all(working);
  const { valid, broken } = await editing;
  const rollingCount = await rolling.over;
  await sleep(restSeconds * 1000);
  const after = await lookAtRest(watched);
  await Promise.all([watched.stop(), reloaded.stop()]);
  upstream.stop();
  for (const instance of [watched, reloaded]) {
    for (const crash of instance.crashes) addFailure(tally, `${instance.folder} ${crash}`);
  }
  const logs = [watched, reloaded].map(readLogs);
  return {
    tally,
    samples: await samples,
    edits: valid,
    brokenEdits: broken,
    rollingReloads: rollingCount,
    rotatedLogs: logs.reduce((sum, { rotated }) => sum + rotated, 0),
    faultsOfOurOwn: logs.reduce((sum, { faults }) => sum + faults, 0),
    descriptors: { before: before.descriptors, after: after.descriptors },
    timers: { before: before.timers, after: after.timers },
  };
}
