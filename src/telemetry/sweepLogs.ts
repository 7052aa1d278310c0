import { lstat, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { activeFileName, type LogFileKind, logFileKind } from './logFileName.ts';
import { type LogFileInfo, planRedating, planRemovals } from './retention.ts';

export interface SweepOptions {
  directory: string;
  instance: string;
  now: number;
  retentionMs: number;
  maxTotalBytes: number;
  activeMaxBytes: number;
}

/**
 * Removes old logs of one instance from its folder: what `planRemovals` names, and temporary files that an interrupted
 * compression left behind. Must not run while a compression does. A missing folder is an empty one; a file that cannot be
 * removed is reported by an error after all the others were tried.
 */
export async function sweepLogs(options: SweepOptions): Promise<void> {
  const { directory, instance, now } = options;
  for (const name of await listLogs(directory, instance, 'temporary')) await rm(join(directory, name), { force: true });

  const files = await inspectLogs(directory, instance);
  const redated = new Set(planRedating(files, now));
  const current = files.map((file) => (redated.has(file.name) ? { ...file, modifiedAt: now } : file));
  const removals = planRemovals(current, { ...options, active: activeFileName(instance) });

  const results = await Promise.allSettled([
    ...removals.map((name) => rm(join(directory, name), { force: true })),
    ...[...redated].filter((name) => !removals.includes(name)).map((name) => setTime(join(directory, name), now)),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Names of our files of one kind, sorted, which is oldest first. */
export async function listLogs(directory: string, instance: string, kind: LogFileKind): Promise<string[]> {
  const names = await readdir(directory).catch(emptyWhenMissing);
  return names.filter((name) => logFileKind(instance, name) === kind).sort();
}

async function inspectLogs(directory: string, instance: string): Promise<LogFileInfo[]> {
  const files: LogFileInfo[] = [];
  for (const name of await readdir(directory).catch(emptyWhenMissing)) {
    if (!logFileKind(instance, name)) continue;
    const stats = await lstat(join(directory, name)).catch(() => undefined);
    if (stats?.isFile()) files.push({ name, size: stats.size, modifiedAt: stats.mtimeMs });
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
