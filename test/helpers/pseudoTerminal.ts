import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';

/** Whether this machine has the program with which a test can have a terminal (util-linux's `script`). */
export const hasPseudoTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;

/** Keys that are pressed with Ctrl: C interrupts, S stops the output, Q lets it go on. */
export const CONTROL = { c: '\u0003', s: '\u0013', q: '\u0011' } as const;

export interface TerminalProgram {
  readonly process: ChildProcess;
  /** Everything that the terminal would have shown, with its escape sequences. */
  shown(): string;
  /** Resolves when the terminal has shown such a text. */
  waitFor(pattern: RegExp): Promise<void>;
  press(keys: string): void;
  /** Presses Ctrl-C and waits for the end. */
  stop(): Promise<void>;
}

/** Runs a program in a terminal of so many columns, with nothing else in its environment than what is given. */
export function runInTerminal(
  words: readonly string[],
  options: { readonly columns: number; readonly folder: string; readonly environment: Record<string, string> },
): TerminalProgram {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qfec', `stty cols ${options.columns} rows 40; exec ${quoted}`, '/dev/null'], {
    cwd: options.folder,
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', ...options.environment },
  });
  const ended = once(child, 'close');
  // Ctrl-C may come after the end.
  child.stdin.on('error', () => {});
  let shown = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (const listener of listeners) listener();
  });
  return {
    process: child,
    shown: () => shown,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(stripVTControlCharacters(shown))) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        ended.then(() => reject(new Error(`the program has ended: ${shown}`)));
        look();
      }),
    press: (keys) => void child.stdin.write(keys),
    stop: async () => {
      child.stdin.write(CONTROL.c);
      await ended;
    },
  };
}
