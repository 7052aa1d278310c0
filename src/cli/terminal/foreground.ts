import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from '../exitCodes.ts';

interface ForegroundCommand {
  readonly program: string;
  readonly words: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** From a terminal these reach the whole group, so that passing them on would make two of one. */
const FROM_KEYBOARD = ['SIGINT', 'SIGQUIT'] as const;
const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;

/** A shell's way of saying that a signal has ended a program. */
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
      resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
