import { join } from 'node:path';
import { compressLog } from './compressLog.ts';
import { listLogs, type SweepOptions, sweepLogs } from './sweepLogs.ts';

export interface UpkeepOptions extends Omit<SweepOptions, 'now'> {
  now: () => number;
  onProblem: (error: unknown) => void;
}

/**
 * Looks after the rotated files of one process in the background: compresses them and removes the old ones. One run at a
 * time, and writing never waits for it.
 */
export class LogUpkeep {
  readonly #options: UpkeepOptions;
  readonly #uncompressed = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #queued = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /**
   * Remembers rotated files that an earlier run or process has not compressed. Call only while nothing can be rotated:
   * the library makes an empty file of the new name for a moment, and compressing that one would lose the real one.
   */
  async findUncompressed(): Promise<void> {
    const { directory, name, onProblem } = this.#options;
    const files = await listLogs(directory, name, 'rotated').catch(onProblem);
    for (const file of files ?? []) this.#uncompressed.add(join(directory, file));
  }

  /** Compresses a file that was just rotated, and removes what is now too much. */
  compress(path: string): Promise<void> {
    this.#uncompressed.add(path);
    return this.run();
  }

  /** Does the work soon; never rejects. Requests while one waits are one. */
  run(): Promise<void> {
    if (!this.#queued) {
      this.#queued = true;
      this.#running = this.#running.then(() => {
        this.#queued = false;
        return this.#work();
      });
    }
    return this.#running;
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    // First, since compression needs room for a while, and what is to go need not be compressed.
    await this.#attempt(() => this.#sweep());
    for (const path of [...this.#uncompressed].sort()) {
      await this.#attempt(async () => {
        await compressLog(path);
        this.#uncompressed.delete(path);
      }, path);
    }
  }

  #sweep(): Promise<void> {
    return sweepLogs({ ...this.#options, now: this.#options.now() });
  }

  async #attempt(task: () => Promise<void>, path?: string): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (path !== undefined && isMissing(error)) this.#uncompressed.delete(path);
      else this.#options.onProblem(error);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
