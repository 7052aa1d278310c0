import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Secret } from '../../../src/core/secret.ts';
import { createPrivateFile } from '../setUp/privateFile.ts';
import type { PlannedFile } from './move.ts';

/** What the instances would say of their files. */
export interface Check {
  readonly problems: readonly Problem[];
  readonly secrets: readonly Secret[];
}

/** Loads the planned instances from a copy of their files that only the owner may read, and removes it again. */
export function checkMove(root: string, files: readonly PlannedFile[]): Check {
  mkdirSync(join(root, 'state'), { recursive: true });
  const folder = mkdtempSync(join(root, 'state', 'import-'));
  try {
    for (const { path, text } of files) createPrivateFile(join(folder, path), path, text);
    const results = files.filter(({ path }) => path.endsWith('.env')).map(({ path }) => loadConfig(path, {}, folder));
    return {
      problems: results.flatMap(({ problems }) => problems),
      secrets: results.flatMap(({ config }) => config?.secrets ?? []),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
