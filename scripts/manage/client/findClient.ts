import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { Failure } from '../exitCodes.ts';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The path of Claude Code: CLAUDE_BIN, else `claude` on PATH.
 * @throws Failure when there is none.
 */
export function findClient(environment: Readonly<Record<string, string | undefined>>, directory: string): string {
  const named = environment['CLAUDE_BIN'];
  if (named !== undefined && named !== '') {
    const path = resolve(directory, named);
    if (isProgram(path)) return path;
    throw new Failure(`CLAUDE_BIN is ${named}, which is no program that can be run`);
  }
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.map((folder) => resolve(directory, join(folder, 'claude'))).find(isProgram);
  if (found !== undefined) return found;
  throw new Failure(
    'claude is not on PATH; install it (npm install -g @anthropic-ai/claude-code) or name it: CLAUDE_BIN=/path/to/claude',
  );
}
