import { type FileHandle, stat } from 'node:fs/promises';
import { activePath, LineSplitter, type OpenLog, openLog, readRotated, splitLines } from './logFiles.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads what comes behind the end of an open log, whatever becomes of its file: one that is rotated is read to its end, then the
 * files that were rotated since the last read, compressed or not, then the new one. No line is lost or read twice.
 */
export class LogFollower {
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #log: OpenLog;
  #position: number;
  #splitter = new LineSplitter();

  /** @param position where to begin in the file that is written now: behind its present end unless given */
  constructor(log: OpenLog, position = log.end) {
    this.#log = log;
    this.#position = position;
  }

  get log(): Pick<OpenLog, 'instance' | 'name' | 'directory'> {
    return this.#log;
  }

  /** The lines that have come since the last time. One call at a time. */
  async read(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const { active } = this.#log;
      // Checked before reading: when the file has been replaced by then, what is read of the old one is all of it.
      const current = await stat(activePath(this.#log)).catch(() => undefined);
      if (active !== undefined) lines.push(...(await this.#readOn(active)));
      if (current === undefined || current.ino === (await active?.stat())?.ino) return lines;
      lines.push(...(await this.#continue()));
    }
  }

  async close(): Promise<void> {
    await this.#log.active?.close();
  }

  async #readOn(active: FileHandle): Promise<string[]> {
    const lines: string[] = [];
    if ((await active.stat()).size < this.#position) this.#startFile(); // emptied
    for (;;) {
      const { bytesRead } = await active.read(this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytesRead === 0) return lines;
      this.#position += bytesRead;
      lines.push(...this.#splitter.push(this.#buffer.subarray(0, bytesRead)));
    }
  }

  /** Takes the file that is written now; gives the lines of those that came and went since the last read. */
  async #continue(): Promise<string[]> {
    const before = this.#log;
    this.#log = await openLog(before.directory, before.instance, before.name);
    this.#startFile();
    const added = this.#log.rotated.filter((path) => !before.rotated.includes(path));
    // The first of them is the one that has just been read to its end.
    const missed = before.active === undefined ? added : added.slice(1);
    await before.active?.close();
    const lines: string[] = [];
    for (const path of missed) for await (const line of splitLines(readRotated(path))) lines.push(line);
    return lines;
  }

  #startFile(): void {
    this.#position = 0;
    this.#splitter = new LineSplitter();
  }
}
