import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
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

export interface ForegroundCommand {
  readonly program: string;
  readonly words: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** From a terminal these reach the whole group, so that passing them on would make two of one. */
const FROM_KEYBOARD = ['SIGINT', 'SIGQUIT'] as const;
const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;

/** A shell's way of telling that a signal has ended a program. */
const SIGNAL_BASE = 128;

/**
 * Runs a program in the foreground with this terminal as its own and waits for its end, whatever signals come meanwhile.
 * @returns its exit status
 */
export function runInForeground({ program, words, directory, environment }: ForegroundCommand): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { cwd: directory, env: environment, stdio: 'inherit' });
    const passOn = (signal: NodeJS.Signals) => void child.kill(signal);
    const leaveToChild = () => {};
    for (const signal of FROM_KEYBOARD) process.on(signal, process.stdin.isTTY ? leaveToChild : passOn);
    for (const signal of PASSED_ON) process.on(signal, passOn);
    const finish = () => {
      for (const signal of FROM_KEYBOARD) process.off(signal, leaveToChild).off(signal, passOn);
      for (const signal of PASSED_ON) process.off(signal, passOn);
    };
    child.once('error', (error) => {
      finish();
      reject(new Failure(`${program} cannot be run: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      finish();
      resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : osConstants.signals[signal]));
    });
  });
}
