/** A text delta as it arrived: its place in the answer and, where the upstream wrote it, the time of sending. */
export interface Stamp {
  readonly index: number;
  /** Microseconds of the machine's monotonic clock; 0 where the answer was not paced. */
  readonly sentAt: number;
}

/** Microseconds of the machine's monotonic clock, the same in every process. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The text of one delta: a few words, its number and the time of sending, so that the reader can check and time each. */
export function deltaText(index: number, sentAt: number): string {
  return ` and then ${index}@${sentAt};`;
}

const DELTA = /(\d+)@(\d+);/g;

/** The deltas whose text stands in what was read, and where the last of them ends. */
export function readStamps(text: string): { readonly stamps: Stamp[]; readonly end: number } {
  const stamps: Stamp[] = [];
  let end = 0;
  for (const match of text.matchAll(DELTA)) {
    stamps.push({ index: Number(match[1]), sentAt: Number(match[2]) });
    end = match.index + match[0].length;
  }
  return { stamps, end };
}
