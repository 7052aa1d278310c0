import { BodyReader } from './bodyReader.ts';
import { commonPrefix, type RememberedBody } from './rememberedBody.ts';

const BYTE_ORDER_MARK = 0xfeff;

/** A body that begins with fewer bytes in common belongs to another conversation. */
const RELATED_BYTES = 512;

/** Conversations that are remembered at a time: those of one user, with their subagents. */
const MAX_BODIES = 16;

export interface BodyMemoryOptions {
  /** Top-level names whose lists grow from request to request. */
  readonly lists: ReadonlySet<string>;
  /** Shorter bodies are parsed whole, which is quicker than to compare them. */
  readonly minBytes: number;
  /** Most bytes of bodies that are kept. */
  readonly maxBytes: number;
}

/**
 * Parses JSON bodies of which each repeats most of an earlier one, as the requests of a conversation do: what has the same bytes is
 * not parsed again, but is the same object as before. So nobody may change what `parse` gives, and work on such a part can be
 * remembered by its identity.
 */
export class BodyMemory {
  readonly #options: BodyMemoryOptions;
  /** The one that was used last at the end. */
  #bodies: RememberedBody[] = [];

  constructor(options: BodyMemoryOptions) {
    this.#options = options;
  }

  /** The value of the body; throws the SyntaxError of JSON.parse. */
  parse(bytes: Buffer): unknown {
    const steps = this.parseInSteps(bytes);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** The same with a pause after each piece that had to be parsed, at which the length of the piece in bytes is given. */
  *parseInSteps(bytes: Buffer): Generator<number, unknown> {
    if (bytes.length < this.#options.minBytes) return parseWhole(bytes);
    const earlier = this.#mostAlike(bytes);
    const body = yield* new BodyReader(bytes, this.#options.lists, earlier).read();
    if (body === undefined) return parseWhole(bytes);
    this.#remember(body, earlier);
    const value: Record<string, unknown> = {};
    for (const [name, part] of body.values) value[name] = part.value;
    return value;
  }

  #mostAlike(bytes: Buffer): RememberedBody | undefined {
    let best: RememberedBody | undefined;
    let most = RELATED_BYTES - 1;
    for (const body of this.#bodies) {
      const length = commonPrefix(bytes, body.bytes);
      if (length <= most) continue;
      most = length;
      best = body;
    }
    return best;
  }

  /** Keeps the body in place of the one that it continues, and forgets the oldest beyond the bounds. */
  #remember(body: RememberedBody, earlier: RememberedBody | undefined): void {
    if (body.bytes.length < RELATED_BYTES || body.bytes.length > this.#options.maxBytes) return;
    this.#bodies = this.#bodies.filter((one) => one !== earlier);
    this.#bodies.push(body);
    let total = this.#bodies.reduce((sum, { bytes }) => sum + bytes.length, 0);
    while (total > this.#options.maxBytes || this.#bodies.length > MAX_BODIES) {
      total -= this.#bodies.shift()?.bytes.length ?? 0;
    }
  }
}

function parseWhole(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
}
