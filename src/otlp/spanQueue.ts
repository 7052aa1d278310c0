import type { Clock } from '../core/clock.ts';
import { LogBackoff } from '../telemetry/log/queue.ts';
import type { Collector, ExportResult } from './exporter.ts';

/** Spans are sent together, at most so many at once, and so long after the first of them. */
const BATCH_SPANS = 512;
const BATCH_MS = 2000;
/** Beyond this many waiting spans, new ones are dropped. */
const MOST_WAITING = 2048;
/** A portion that was refused so often for the moment is dropped, so that newer ones get their turn. */
const MOST_ATTEMPTS = 5;

/** Encodes spans for a collector. */
export type EncodeSpans = (spans: readonly object[]) => string;

/** How the sending fares. */
export interface QueueStatus {
  /** Spans since the start. */
  readonly sent: number;
  readonly dropped: number;
  readonly lastError: string | undefined;
  readonly healthy: boolean;
}

/** Sends spans to a collector off the requests' path, and holds only so many. What the collector cannot take is dropped and counted. */
export class SpanQueue {
  readonly #collector: Collector;
  readonly #encode: EncodeSpans;
  readonly #clock: Clock;
  readonly #backoff = new LogBackoff();
  #waiting: object[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #attempts = 0;
  #sent = 0;
  #dropped = 0;
  #healthy = true;
  #lastError: string | undefined;

  constructor(collector: Collector, encode: EncodeSpans, clock: Clock) {
    this.#collector = collector;
    this.#encode = encode;
    this.#clock = clock;
  }

  /** Never throws and never waits. */
  add(span: object): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#timer === undefined && this.#sending === undefined) this.#plan(BATCH_MS);
  }

  status(): QueueStatus {
    return { sent: this.#sent, dropped: this.#dropped, healthy: this.#healthy, lastError: this.#lastError };
  }

  /** Sends what waits, each portion once. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    while (this.#waiting.length > 0) {
      const portion = this.#waiting.splice(0, BATCH_SPANS);
      this.#count(await this.#collector.send(this.#encode(portion)), portion.length);
    }
    clearTimeout(this.#timer);
  }

  #plan(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#send();
    }, delayMs).unref();
  }

  async #send(): Promise<void> {
    const portion = this.#waiting.slice(0, BATCH_SPANS);
    const result = await this.#collector.send(this.#encode(portion));
    this.#sending = undefined;
    const mayRepeat = result.kind === 'again' && this.#attempts + 1 < MOST_ATTEMPTS;
    this.#attempts = mayRepeat ? this.#attempts + 1 : 0;
    if (!mayRepeat) this.#waiting.splice(0, portion.length);
    this.#count(result, mayRepeat ? 0 : portion.length);
    const delayMs =
      result.kind === 'again'
        ? (result.afterMs ?? this.#backoff.next(this.#clock.monotonic()))
        : this.#waiting.length >= BATCH_SPANS
          ? 0
          : BATCH_MS;
    if (this.#waiting.length > 0) this.#plan(delayMs);
  }

  /** @param spans that are settled by this result */
  #count(result: ExportResult, spans: number): void {
    const rejected = result.kind === 'sent' ? Math.min(spans, Math.max(0, result.rejected)) : spans;
    this.#sent += spans - rejected;
    this.#dropped += rejected;
    this.#healthy = result.kind === 'sent';
    if (result.kind !== 'sent') this.#lastError = result.reason;
  }
}
