import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { inFolder } from './inFolder.ts';

/** Something learned that can be written down as plain JSON and taken back. */
export interface Restorable {
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export interface StateFile {
  /** Writes what was learned since the last time and stops writing. */
  close(): void;
}

const SAVE_INTERVAL_MS = 60_000;

/**
 * Keeps something learned across restarts in one small JSON file: read once at the start, written every minute if it has
 * changed and at the end, by rename, so that it is never half written. A file that is missing, broken or cannot be written
 * costs only what was learned: the instance works without it.
 */
export function openStateFile(path: string, state: Restorable): StateFile {
  let written = read(path);
  if (written !== '') {
    try {
      state.restore(JSON.parse(written));
    } catch {
      written = '';
    }
  }
  const save = () => {
    const text = JSON.stringify(state.snapshot());
    if (text !== written && write(path, text)) written = text;
  };
  const timer = setInterval(save, SAVE_INTERVAL_MS).unref();
  return {
    close() {
      clearInterval(timer);
      save();
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function write(path: string, text: string): boolean {
  try {
    const draft = `${path}.${process.pid}.new`; // several processes may keep the same file
    inFolder(draft, () => writeFileSync(draft, text, { mode: 0o600 }));
    renameSync(draft, path);
    return true;
  } catch {
    return false;
  }
}
