import { monotonicMicros, readStamps } from '../upstream/deltaText.ts';
import type { Arrival, Reply } from './reply.ts';

const TEXT_MARK = /text_delta|input_json_delta/;

/** Collects one answer; cheap for most, and with the time of each delta where the answer is paced. */
export class ReplyCollector {
  readonly #askedAt = monotonicMicros();
  readonly #parts: string[] = [];
  readonly #arrivals: Arrival[] = [];
  readonly #isPaced: boolean;
  #status = 0;
  #firstTextAt: number | undefined;
  #unread = '';

  constructor(isPaced: boolean) {
    this.#isPaced = isPaced;
  }

  head(startLine: string): void {
    this.#status = Number(startLine.split(' ')[1]);
  }

  body(bytes: Buffer): void {
    // Latin-1 loses nothing here: the text that is looked at is ASCII.
    const text = bytes.toString('latin1');
    this.#parts.push(text);
    if (this.#isPaced) this.#time(text);
    if (this.#firstTextAt === undefined && TEXT_MARK.test(text)) this.#firstTextAt = monotonicMicros();
  }

  end(): Reply {
    return {
      status: this.#status,
      body: this.#parts.join(''),
      askedAt: this.#askedAt,
      firstTextAt: this.#firstTextAt,
      endedAt: monotonicMicros(),
      arrivals: this.#arrivals,
    };
  }

  /** A delta may come in two reads: what is not whole waits for the next. */
  #time(text: string): void {
    const receivedAt = monotonicMicros();
    const unread = this.#unread + text;
    const { stamps, end } = readStamps(unread);
    for (const stamp of stamps) this.#arrivals.push({ ...stamp, receivedAt });
    this.#unread = unread.slice(end);
  }
}
