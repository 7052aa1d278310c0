import { utcDay } from './logFileName.ts';
import { LogStream, type LogStreamOptions } from './logStream.ts';
import type { LogUpkeep } from './logUpkeep.ts';

export interface LogAppenderOptions extends LogStreamOptions {
  upkeep: LogUpkeep;
  /** Called when another process was seen to write the same file. */
  onShared: () => void;
}

/**
 * Appends to the active file of today, whatever happened to the file meanwhile: one that was removed with or without its
 * folder is made anew and the bytes are written again; one of yesterday, or a full one, is rotated and handed to upkeep.
 */
export class LogAppender {
  readonly #options: LogAppenderOptions;
  #stream: LogStream | undefined;

  constructor(options: LogAppenderOptions) {
    this.#options = options;
  }

  /** Makes sure that the file of today is open; rejects with the file system's error. */
  async open(): Promise<void> {
    await this.#openForToday();
  }

  get isOpenForToday(): boolean {
    return this.#stream?.day === utcDay(this.#options.clock.now());
  }

  /** Appends whole lines; tells how many of the bytes are in the log, and the error if that is not all or was the last. */
  async append(bytes: Buffer): Promise<{ landed: number; error?: unknown }> {
    const { upkeep, onShared } = this.#options;
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        const stream = await this.#openForToday();
        const result = await stream.append(bytes);
        if (result.vanished) {
          await this.close();
          continue;
        }
        if (result.rotatedTo !== undefined) void upkeep.compress(result.rotatedTo);
        if (result.shared) onShared();
        return result;
      }
      return { landed: 0, error: new Error('the log file is removed again and again') };
    } catch (error) {
      return { landed: 0, error };
    }
  }

  /** For the exit of the process: the part of an append under way that is not in the file. */
  missingSync(bytes: Buffer): Buffer {
    return this.#stream?.missingSync(bytes) ?? bytes;
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.close();
  }

  async #openForToday(): Promise<LogStream> {
    if (this.#stream && this.isOpenForToday) return this.#stream;
    const contentDay = this.#stream?.day;
    await this.close();
    const stream = await LogStream.open(this.#options, contentDay);
    this.#stream = stream;
    await this.#options.upkeep.findUncompressed();
    void this.#options.upkeep.run();
    return stream;
  }
}
