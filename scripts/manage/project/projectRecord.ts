import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../../src/core/json.ts';

/** What `use` has done to a project, so that `unuse` can take it back. */
export interface ProjectRecord {
  readonly file: string;
  readonly instance: string;
  /** Text before; null when there was no file. */
  readonly original: string | null;
  /** Text after. */
  readonly written: string;
  /** The part of it that is ours. */
  readonly settings: JsonObject;
  /** Whether there was no `.claude` folder. */
  readonly madeFolder: boolean;
}

function recordPath(root: string, file: string): string {
  const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
  return join(root, 'state', 'projects', `${name}.json`);
}

/** The record of a project's file; undefined when nothing of ours is in it. */
export function readRecord(root: string, file: string): ProjectRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(root, file), 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Keeps the record, for the user's eyes only: the original may hold keys. */
export function writeRecord(root: string, record: ProjectRecord): void {
  const path = recordPath(root, record.file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

export function removeRecord(root: string, file: string): void {
  rmSync(recordPath(root, file), { force: true });
}
