import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../../../src/config/config.ts';
import { formatBytes } from '../../formatBytes.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'disk';
/** Below this many free bytes, figures are lost before long. */
const TOO_LITTLE = 100e6;
/** Rotation and compression may go this far beyond the limit for a moment. */
const OVER_LIMIT = 1.5;

/** Whether there is room for what the instances write, and whether their logs keep to their limit. */
export function checkDisk({ root, all, observations }: Subject): Finding[] {
  const growth = new Map<number, { free: number; folder: string; more: number }>();
  const add = (folder: string, more: number) => {
    const place = existingAncestor(folder);
    const device = statSync(place).dev;
    const { bavail, bsize } = statfsSync(place);
    growth.set(device, { free: bavail * bsize, folder: place, more: (growth.get(device)?.more ?? 0) + more });
  };
  add(root, 0);
  for (const { config } of all) {
    if (config === undefined) continue;
    add(config.stateDirectory, 0);
    add(config.logs.directory, Math.max(0, config.logs.maxTotalBytes - logBytes(config)));
  }
  return [
    ...[...growth.values()].map(({ free, folder, more }) => judgeSpace(folder, free, more)),
    ...observations.flatMap(({ instance: { config } }) => (config === undefined ? [] : checkLogSize(config))),
  ];
}

/** Whether the free space of a file system is enough for logs that may still grow by `more` bytes. */
export function judgeSpace(folder: string, free: number, more: number): Finding {
  const detail = `${formatBytes(free)} free at ${folder}`;
  if (free < TOO_LITTLE)
    return fail(CHECK, detail, { remedy: 'make room: requests go on, logs and statistics do not' });
  if (free >= more + TOO_LITTLE) return ok(CHECK, detail);
  return warn(CHECK, `${detail}, where logs may still grow by ${formatBytes(more)}`, {
    remedy: 'make room, or lower LOG_MAX_TOTAL in the env files',
  });
}

function logBytes({ instance, logs }: Config): number {
  const folder = join(logs.directory, instance);
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function checkLogSize(config: Config): Finding[] {
  const { instance, logs } = config;
  const size = logBytes(config);
  if (size <= logs.maxTotalBytes * OVER_LIMIT) return [];
  return [
    warn(
      CHECK,
      `its logs take ${formatBytes(size)}, more than the ${formatBytes(logs.maxTotalBytes)} of its env file`,
      {
        instance,
        remedy: `look into ${join(logs.directory, instance)} for files that are not its own`,
      },
    ),
  ];
}

function existingAncestor(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existingAncestor(dirname(path));
}
