import { lstat, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { activeFileName, type LogFileKind, logFileKind, logNamesIn } from './logFileName.ts';
import { type LogFileInfo, planRedating, planRemovals } from './retention.ts';

export interface SweepOptions {
  directory: string;
  /** The log name of this process. */
  name: string;
  /** Whose folder it is: logs that other processes of the instance have left there are removed, too. */
  instance: string;
  now: number;
  retentionMs: number;
  maxTotalBytes: number;
  activeMaxBytes: number;
}

/**
 * Removes old logs of an instance from its folder: what `planRemovals` names, and temporary files that an interrupted
 * compression left behind. Must not run while a compression does. A missing folder is an empty one; a file that cannot be
 * removed is reported by an error after all the others were tried.
 */
export async function sweepLogs(options: SweepOptions): Promise<void> {
  const { directory, now } = options;
  for (const file of await listLogs(directory, options.name, 'temporary')) {
    await rm(join(directory, file), { force: true });
  }

  const files = await inspectLogs(options);
  const redated = new Set(planRedating(files, now));
  const current = files.map((file) => (redated.has(file.name) ? { ...file, modifiedAt: now } : file));
  const removals = planRemovals(current, { ...options, active: activeFileName(options.name) });

  const results = await Promise.allSettled([
    ...removals.map((name) => rm(join(directory, name), { force: true })),
    ...[...redated].filter((name) => !removals.includes(name)).map((name) => setTime(join(directory, name), now)),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Names of our files of one kind, sorted, which is oldest first. */
export async function listLogs(directory: string, logName: string, kind: LogFileKind): Promise<string[]> {
  const names = await readdir(directory).catch(emptyWhenMissing);
  return names.filter((name) => logFileKind(logName, name) === kind).sort();
}

async function inspectLogs({ directory, instance, name, now, retentionMs }: SweepOptions): Promise<LogFileInfo[]> {
  const files: LogFileInfo[] = [];
  const found = await readdir(directory).catch(emptyWhenMissing);
  const logNames = logNamesIn(found, instance);
  for (const file of found) {
    const logName = logNames.find((candidate) => logFileKind(candidate, file) !== undefined);
    if (logName === undefined) continue;
    const stats = await lstat(join(directory, file)).catch(() => undefined);
    if (!stats?.isFile()) continue;
    // What another process may be writing goes with its age only.
    const isForeign = logName !== name && file === activeFileName(logName);
    if (isForeign && now - stats.mtimeMs < retentionMs) continue;
    files.push({ name: file, size: stats.size, modifiedAt: stats.mtimeMs });
  }
  return files;
}

async function setTime(path: string, at: number): Promise<void> {
  await utimes(path, at / 1000, at / 1000);
}

function emptyWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
