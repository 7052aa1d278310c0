import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { activeFileName, logNamesIn } from '../../../src/telemetry/log/fileNames.ts';
import { findLineEnd } from './readBackwards.ts';
import { listRotated } from './rotatedFiles.ts';

/** The log of one process of an instance as it was at one moment, however it grows and is rotated afterwards. */
export interface OpenLog {
  readonly instance: string;
  /** How its files begin: each process of an instance has files of its own. */
  readonly name: string;
  readonly directory: string;
  /** The files before the active one, oldest first. */
  readonly rotated: readonly string[];
  /** The file that was being written, open; undefined when there was none. */
  readonly active: FileHandle | undefined;
  /** The offset in it behind its last whole line. */
  readonly end: number;
}

/** The path of the file that is written now. */
export function activePath({ name, directory }: Pick<OpenLog, 'name' | 'directory'>): string {
  return join(directory, activeFileName(name));
}

/** The names of the logs of all processes of an instance that have left one. */
export async function listLogNames(directory: string, instance: string): Promise<string[]> {
  return logNamesIn(await readdir(directory).catch(() => []), instance);
}

/** Opens the logs of all processes of an instance. */
export async function openLogs(directory: string, instance: string): Promise<OpenLog[]> {
  const names = await listLogNames(directory, instance);
  return Promise.all(names.map((name) => openLog(directory, instance, name)));
}

/** Opens the log of a process; no file and no folder is an empty log. */
export async function openLog(directory: string, instance: string, name = instance): Promise<OpenLog> {
  for (;;) {
    const before = await listRotated(directory, name);
    const active = await openIfThere(activePath({ name, directory }));
    const rotated = await listRotated(directory, name);
    // When a rotation came in between, it is not known whether the file that is open is the one before or after it.
    if (rotated.every((path) => before.includes(path))) {
      const end = active === undefined ? 0 : await findLineEnd(active, (await active.stat()).size);
      return { instance, name, directory, rotated, active, end };
    }
    await active?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
