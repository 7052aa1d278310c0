import { spawn } from 'node:child_process';
import { terminalSafe } from '../../core/text.ts';
import { exitCodes } from '../exitCodes.ts';
import { LineSplitter } from '../logs/logFiles.ts';
import { type ActionCommand, actionCommands } from './contract.ts';

/** A line is cut behind so many letters, and a command is heard out but not shown behind so many lines. */
const MOST_LETTERS = 2000;
const MOST_LINES = 5000;

export interface ActionRunnerOptions {
  /** The manager and what stands before the command: the launcher, or Node and the manager's sources. */
  readonly program: readonly [string, ...string[]];
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called when a command has begun, with null, and when it has ended. */
  readonly onChange: (instance: string, command: ActionCommand, exitCode: number | null) => void;
}

export function isActionCommand(word: unknown): word is ActionCommand {
  return actionCommands.some((command) => command === word);
}

/** Runs commands of the manager for instances, one at a time for each, as if the user had typed them. */
export class ActionRunner {
  readonly #options: ActionRunnerOptions;
  readonly #running = new Map<string, ActionCommand>();

  constructor(options: ActionRunnerOptions) {
    this.#options = options;
  }

  /** The command that runs for an instance. */
  commandOf(instance: string): ActionCommand | undefined {
    return this.#running.get(instance);
  }

  /**
   * Runs a command to its end, whoever listens; what it writes is handed over line by line.
   * @returns its exit status
   */
  async run(command: ActionCommand, instance: string, onLine: (line: string) => void): Promise<number> {
    const { onChange } = this.#options;
    this.#running.set(instance, command);
    onChange(instance, command, null);
    const exitCode = await this.#spawn([command, instance], onLine);
    this.#running.delete(instance);
    onChange(instance, command, exitCode);
    return exitCode;
  }

  #spawn(words: readonly string[], onLine: (line: string) => void): Promise<number> {
    const { program, root, environment } = this.#options;
    const [file, ...prefix] = program;
    let count = 0;
    const show = (line: string) => {
      count += 1;
      if (count <= MOST_LINES) onLine(terminalSafe(line.slice(0, MOST_LETTERS)));
    };
    return new Promise((resolve) => {
      // A group of its own: Ctrl-C that ends the page leaves a half-done start alone.
      const child = spawn(file, [...prefix, ...words], {
        cwd: root,
        env: { ...environment, NO_COLOR: '1', FORCE_COLOR: undefined },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      for (const stream of [child.stdout, child.stderr]) {
        const splitter = new LineSplitter();
        stream.on('data', (bytes: Buffer) => splitter.push(bytes).forEach(show));
        stream.on('end', () =>
          splitter
            .push(Buffer.from('\n'))
            .filter((line) => line !== '')
            .forEach(show),
        );
      }
      child.on('error', (error) => {
        show(`${file} cannot be run: ${error.message}`);
        resolve(exitCodes.failed);
      });
      child.on('close', (code) => resolve(code ?? exitCodes.failed));
    });
  }
}
