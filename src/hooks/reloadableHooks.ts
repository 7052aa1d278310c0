import type { Logger } from '../telemetry/logger.ts';
import { type HookInfo, type HookName, type Hooks, hookNames } from './hooks.ts';
import { HookThread } from './hookThread.ts';

/** The hooks of an instance whose configuration may change while it runs: a file that cannot be loaded leaves the one before at work. */
export class ReloadableHooks implements Hooks {
  readonly #logger: Pick<Logger, 'warn' | 'error'>;
  readonly #limitMs: number | undefined;
  #current: HookThread | undefined;
  /** The one that was asked for last, until it is loaded. */
  #next: HookThread | undefined;

  /** @param limitMs most that a call may hold a request up */
  constructor(logger: Pick<Logger, 'warn' | 'error'>, limitMs?: number) {
    this.#logger = logger;
    this.#limitMs = limitMs;
  }

  /** Whether no hook will do anything. */
  get areIdle(): boolean {
    return this.#current === undefined || !hookNames.some((name) => this.has(name));
  }

  /** Loads a file, also one that is loaded already, to take the place of what is there; without one there are no hooks any more. */
  use(file: string | undefined): void {
    if (this.#next !== this.#current) void this.#next?.close();
    const thread = file === undefined ? undefined : this.#load(file);
    this.#next = thread;
    // With nobody else to ask, calls wait for it.
    if (thread === undefined || this.#current === undefined) this.#replace(thread);
  }

  has(name: HookName): boolean {
    return this.#current?.has(name) === true;
  }

  call(name: HookName, text: string, info: HookInfo): Promise<string | undefined> {
    return this.#current?.call(name, text, info) ?? Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    await Promise.all([this.#current?.close(), this.#next?.close()]);
  }

  #load(file: string): HookThread {
    const thread = new HookThread({
      file,
      logger: this.#logger,
      limitMs: this.#limitMs,
      onLoaded: () => {
        if (this.#next === thread) this.#replace(thread);
      },
      onBroken: ({ reason, at }) => {
        const isAlone = this.#current === thread;
        if (isAlone) this.#current = undefined;
        const rest = isAlone ? 'requests go on without hooks' : 'the one before goes on';
        this.#logger.error(`the hooks file cannot be used until it is changed; ${rest}`, { file, at, reason });
      },
    });
    return thread;
  }

  #replace(thread: HookThread | undefined): void {
    if (this.#current !== thread) void this.#current?.close();
    this.#current = thread;
  }
}
