import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Settings = Readonly<Record<string, string>>;

export interface SoakInstanceOptions {
  /** Program and arguments that stand before `--env FILE`. */
  readonly command: readonly string[];
  /** A folder of its own, for its env file, logs, state and output. */
  readonly folder: string;
  readonly port: number;
  readonly settings: Settings;
  /** Where programs are found. */
  readonly searchPath: string | undefined;
}

const START_POLL_MS = 20;

/** They must not outlive this process. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** One instance of the proxy, with an env file that can be edited while it runs. */
export class SoakInstance {
  readonly port: number;
  readonly folder: string;
  readonly #command: readonly string[];
  readonly #settings: Settings;
  readonly #searchPath: string | undefined;
  #child: ChildProcess | undefined;
  /** Exit statuses that nobody asked for. */
  readonly crashes: string[] = [];

  constructor({ command, folder, port, settings, searchPath }: SoakInstanceOptions) {
    this.port = port;
    this.folder = folder;
    this.#command = command;
    this.#settings = settings;
    this.#searchPath = searchPath;
    mkdirSync(folder, { recursive: true });
    this.edit({});
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Writes the env file with these settings over those it began with. */
  edit(changes: Settings): void {
    const settings = {
      PORT: String(this.port),
      LOG_DIR: join(this.folder, 'logs'),
      STATE_DIR: join(this.folder, 'state'),
      ...this.#settings,
      ...changes,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(this.folder, 'soak.env'), lines.join(''), { mode: 0o600 });
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const [program = '', ...words] = this.#command;
    const before = this.#startsReported();
    const output = openSync(this.#outputPath, 'a');
    const child = spawn(program, [...words, '--env', join(this.folder, 'soak.env')], {
      cwd: this.folder,
      env: { PATH: this.#searchPath, HOME: this.folder },
      stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    children.add(child);
    this.#child = child;
    child.once('exit', (code, signal) => {
      children.delete(child);
      if (this.#child === child) this.crashes.push(`ended with ${code ?? signal}`);
    });
    while (this.#startsReported() === before) {
      if (child.exitCode !== null) throw new Error(`the instance does not start; see ${this.#outputPath}`);
      await sleep(START_POLL_MS);
    }
  }

  /** Resolves when it has drained and ended. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await this.#end(child);
  }

  /** Puts a new process in the place of the one that runs, which drains once the new one listens. Needs `--share` in the command. */
  async reload(): Promise<void> {
    const old = this.#child;
    await this.start();
    await this.#end(old);
  }

  async #end(child: ChildProcess | undefined): Promise<void> {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await exited;
    if (code !== 0) this.crashes.push(`stopped with ${code}`);
  }

  get #outputPath(): string {
    return join(this.folder, 'output.log');
  }

  /** How often a process has said that it listens. */
  #startsReported(): number {
    return existsSync(this.#outputPath) ? readFileSync(this.#outputPath, 'utf8').split('listening on').length : 1;
  }

  async health(): Promise<Record<string, unknown>> {
    const response = await fetch(`http://127.0.0.1:${this.port}/health`);
    return (await response.json()) as Record<string, unknown>;
  }

  /** What only the process itself knows; needs soak/probe.cjs in the command. */
  async facts(): Promise<{ readonly heapBytes: number; readonly timers: number }> {
    const child = this.#child;
    if (child === undefined) throw new Error('the instance does not run');
    child.send('facts');
    for await (const [message] of on(child, 'message')) {
      // An instance also says when it is ready.
      if (typeof message === 'object') return message;
    }
    throw new Error('the instance has ended');
  }
}
