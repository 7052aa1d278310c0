import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import type { Config } from '../../config/config.ts';
import { formatDuration } from '../../core/text.ts';
import { executablePath } from '../../host/workers.ts';
import { type BuildStamp, hashSources, PLATFORM, readStamp } from '../buildStamp.ts';
import { existingPart, explainRefusal } from '../fileAccess.ts';
import { isInstalled } from '../installation.ts';
import { isAlive } from '../supervisor/instances.ts';
import { pm2Home } from '../supervisor/pm2.ts';
import { isOlderThanBuild } from '../supervisor/state.ts';
import { formatBytes } from '../terminal/output.ts';
import { type CheckContext, type Finding, findingsOf } from './finding.ts';

const diskCheck = findingsOf('disk');
/** Below this many free bytes, figures are lost before long. */
const TOO_LITTLE = 100e6;
/** Rotation and compression may go this far beyond the limit for a moment. */
const OVER_LIMIT = 1.5;

/** Whether there is room for what the instances write, and whether their logs keep to their limit. */
export function checkDisk({ root, all, inspections }: CheckContext): Finding[] {
  const growth = new Map<number, { free: number; folder: string; more: number }>();
  const add = (folder: string, more: number) => {
    const place = existingPart(folder);
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
    ...[...growth.values()].map(({ free, folder, more }) => evaluateSpace(folder, free, more)),
    ...inspections.flatMap(({ instance: { config } }) => (config === undefined ? [] : checkLogSize(config))),
  ];
}

/** Whether the free space of a file system is enough for logs that may still grow by `more` bytes. */
export function evaluateSpace(folder: string, free: number, more: number): Finding {
  const detail = `${formatBytes(free)} free at ${folder}`;
  if (free < TOO_LITTLE)
    return diskCheck.fail(detail, { remedy: 'make room: requests go on, logs and statistics do not' });
  if (free >= more + TOO_LITTLE) return diskCheck.ok(detail);
  return diskCheck.warn(`${detail}, where logs may still grow by ${formatBytes(more)}`, {
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
    diskCheck.warn(
      `its logs take ${formatBytes(size)}, more than the ${formatBytes(logs.maxTotalBytes)} of its env file`,
      {
        instance,
        remedy: `look into ${join(logs.directory, instance)} for files that are not its own`,
      },
    ),
  ];
}

const executableCheck = findingsOf('executable');
const BUILD = { remedy: 'npm run build' };

/** Whether the executable is there, is made from the present sources, and is what the instances run. */
export async function checkExecutable(context: CheckContext): Promise<Finding[]> {
  const { root, now } = context;
  const path = executablePath(root);
  const shown = relative(root, path);
  if (!existsSync(path)) return [executableCheck.fail(`${shown} is missing`, BUILD)];
  const stamp = await readStamp(root);
  if (stamp === undefined) return [executableCheck.warn(`${shown} does not say what it was built from`, BUILD)];
  if (stamp.platform !== PLATFORM) return [executableCheck.fail(`${shown} was built for ${stamp.platform}`, BUILD)];
  const age = `was built ${formatDuration(now - Date.parse(stamp.builtAt))} ago`;
  if (isInstalled(root))
    return [executableCheck.ok(`${shown} ${age}, version ${stamp.version}`), ...findOlderProcesses(context, stamp)];
  const isCurrent = (await hashSources(root).catch(() => undefined)) === stamp.sourceHash;
  return [
    isCurrent
      ? executableCheck.ok(`${shown} ${age}, from the present sources`)
      : executableCheck.warn(`${shown} ${age}, from other sources than there are now`, BUILD),
    ...findOlderProcesses(context, stamp),
  ];
}

function findOlderProcesses({ inspections }: CheckContext, stamp: BuildStamp): Finding[] {
  return inspections.flatMap(({ instance: { name }, answer, isOurs }) => {
    if (answer?.kind !== 'instance' || !isOurs || !isOlderThanBuild(stamp, answer.health)) return [];
    return [
      executableCheck.warn('runs an older build than there is now', {
        instance: name,
        remedy: `./manage reload ${name}`,
      }),
    ];
  });
}

const folderCheck = findingsOf('folders');
const OWNER_ONLY = 0o700;
const OTHERS = 0o077;

/** Whether the folders are there in which instances are found, and in which they write. */
export function checkFolders({ root, environment, all }: CheckContext): Finding[] {
  const configs = all.flatMap(({ config }) => config ?? []);
  const needed = new Set([join(root, 'envs'), ...configs.map(({ logs }) => logs.directory)]);
  // Made when there is something to write.
  const possible = [join(root, 'state'), ...configs.map(({ stateDirectory }) => stateDirectory)];
  const findings = [...new Set([...needed, ...possible])].flatMap((path) => {
    const shown = relative(root, path);
    const kind = kindOf(path);
    if (kind === 'other') return [folderCheck.fail(`${shown} is not a folder`, { remedy: `move ${shown} away` })];
    const obstacle = writeObstacle(path, root);
    if (obstacle !== undefined && kind === 'folder') return [folderCheck.fail(obstacle)];
    if (kind === 'folder' || !needed.has(path)) return [];
    const words = `mkdir -p ${shown}`;
    const run = () => void mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    return [folderCheck.warn(`${shown} is missing`, { remedy: words, fix: { words, run } })];
  });
  findings.push(...checkPm2Home(environment));
  // A checkout that may not be written says the same of each of its folders.
  const different = findings.filter(
    ({ detail }, index) => findings.findIndex((one) => one.detail === detail) === index,
  );
  return different.length > 0 ? different : [folderCheck.ok('are all there, and can be written')];
}

/** Why nothing can be written in a folder; undefined when something can, or there is none. */
function writeObstacle(path: string, root: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return explainRefusal(error, root);
  }
}

/** Whoever can reach the sockets in PM2's folder has programs started as its owner. */
function checkPm2Home(environment: CheckContext['environment']): Finding[] {
  const path = pm2Home(environment);
  const mode = process.platform === 'win32' ? 0 : (statSync(path, { throwIfNoEntry: false })?.mode ?? 0);
  if ((mode & OTHERS) === 0) return [];
  const words = `chmod 700 ${path}`;
  const fix = { words, run: () => chmodSync(path, OWNER_ONLY) };
  return [
    folderCheck.warn(`PM2's ${path} is open to other users (mode ${(mode & 0o777).toString(8)}), with its sockets`, {
      remedy: words,
      fix,
    }),
  ];
}

function kindOf(path: string): 'folder' | 'other' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR' ? 'other' : 'missing';
  }
}

const lockCheck = findingsOf('locks');
/** Removing a stale lock takes the launcher a moment; a removal that is older was interrupted. In ms. */
const REMOVAL_TIME_MS = 10_000;

/**
 * Whether the lock of `./manage` for installing and building belongs to a process that lives. The one for start and stop is the
 * operating system's own and cannot be stale.
 */
export function checkLocks({ root, now }: CheckContext): Finding[] {
  const lock = join(root, 'state', 'launcher.lock');
  const removal = `${lock}.removal`;
  const left = (path: string, detail: string) => {
    const words = `rm -r ${relative(root, path)}`;
    const fix = { words, run: () => rmSync(path, { recursive: true, force: true }) };
    return lockCheck.warn(detail, { remedy: words, fix });
  };
  const holder = readHolder(lock);
  const removalSince = statSync(removal, { throwIfNoEntry: false })?.mtimeMs ?? now;
  const findings = [
    ...(holder !== undefined && !isAlive(holder)
      ? [left(lock, `process ${holder} is gone and has left its lock`)]
      : []),
    ...(now - removalSince > REMOVAL_TIME_MS ? [left(removal, 'the removal of a lock was not finished')] : []),
  ];
  if (findings.length > 0) return findings;
  return [lockCheck.ok(holder === undefined ? 'none is held' : `process ${holder} installs or builds`)];
}

function readHolder(lock: string): number | undefined {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined;
  }
}

const runtimeCheck = findingsOf('runtime');

/** Whether this is the Node that package.json pins, which the executable is made of too. What npm installs runs on the user's own. */
export function checkRuntime({ root }: CheckContext): Finding[] {
  if (isInstalled(root)) return [runtimeCheck.ok(`Node.js ${process.version} runs the manager`)];
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const platform = PLATFORM.replace('win32', 'win');
  const name = Object.keys(optionalDependencies).find((candidate) => candidate.endsWith(`-${platform}`));
  if (name === undefined) return [runtimeCheck.fail(`package.json pins no Node.js for ${platform}`)];
  const pinned = `v${optionalDependencies[name]}`;
  return process.version === pinned
    ? [runtimeCheck.ok(`Node.js ${pinned}, as pinned`)]
    : [
        runtimeCheck.fail(`Node.js ${process.version} runs this, but package.json pins ${pinned}`, {
          remedy: 'npm ci --include=optional',
        }),
      ];
}
