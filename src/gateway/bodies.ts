import { ApiError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { BodyMemory } from '../protocol/json/incrementalParser.ts';
import { JsonWriter } from '../protocol/json/jsonWriter.ts';

/** Shorter than the tools of the usual client alone: a question about a title, for instance. */
const SHORT_BYTES = 16 * 1024;

/** Most bytes of earlier bodies that are kept: some conversations of usual length. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;

/** So much is parsed or printed at a stretch before a pause, in bytes: about 2 ms. */
const STRETCH_BYTES = 512 * 1024;

/** Lists whose elements the requests of a conversation have in common. */
const COMMON = new Set(['messages', 'system', 'tools']);

/**
 * Reads the bodies of requests and writes those for the provider. Turn N+1 of a conversation repeats all of turn N, so that both
 * remember what they have seen: a long request then costs less than to parse it once and print it once.
 */
export class Bodies {
  readonly #memory = new BodyMemory({ lists: COMMON, minBytes: SHORT_BYTES, maxBytes: REMEMBERED_BYTES });
  readonly #writer = new JsonWriter(COMMON);

  /**
   * Reads a JSON body, whose value nobody may change, piece by piece.
   * @throws ApiError `invalid_request` with the parser's words about where it fails (R105)
   */
  *read(bytes: Buffer): Generator<void, unknown> {
    const steps = this.#memory.parseInSteps(bytes);
    let stretch = 0;
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
        stretch += value;
        if (stretch < STRETCH_BYTES) continue;
        stretch = 0;
        yield;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/ in JSON.*| \(line.*|, ".*/s, '') : '';
      throw new ApiError('invalid_request', `the body is not JSON: ${reason}`);
    }
  }

  /** Does most of the work of `write` in advance, piece by piece. */
  *prepare(body: JsonObject): Generator<void> {
    let stretch = 0;
    for (const length of this.#writer.prepare(body)) {
      stretch += length;
      if (stretch < STRETCH_BYTES) continue;
      stretch = 0;
      yield;
    }
  }

  /** The bytes of a body for the provider. */
  write(body: JsonObject): Buffer {
    return this.#writer.write(body);
  }
}
