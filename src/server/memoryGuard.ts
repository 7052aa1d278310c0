import type { ServerResponse } from 'node:http';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../core/clock.ts';
import { ApiError } from '../core/errors.ts';

/** What the heap says of itself, in bytes. */
type Heap = Pick<ReturnType<typeof getHeapStatistics>, 'used_heap_size' | 'heap_size_limit' | 'external_memory'>;

/** Beyond this part of what the heap may grow to, no further work is taken on. */
const MOST = 0.9;

/** What a body takes of the heap once it is read, as a multiple of its bytes: its text at two bytes a character, and its values. */
const HEAP_PER_BYTE = 3;

/** The heap is not searched for what nobody needs any more again and again, as everything stands still meanwhile. */
const COLLECT_MS = 5000;

/** The only way to V8's collector without an option of the start. Everything stands still meanwhile: some 15 ms at rest. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** By then what a first request loads is loaded. */
const TUNE_AFTER_MS = 1000;

/**
 * Lets V8 weigh what lies outside its heap, as the bytes of bodies do, against all memory. Otherwise it searches the whole heap each time
 * that 64 MiB of them have come, which was half of the processor time of a conversation with large pictures (docs/VISION.md), and a sixth of
 * that of requests of 300 KB. As an option of the start it would cost 27 ms: V8 takes the compiled code of Node and of the program under its
 * first options only.
 */
function weighExternalMemory(): void {
  setTimeout(setFlagsFromString, TUNE_AFTER_MS, '--external-memory-accounted-in-global-limit').unref();
}

/** While less than this part of the heap was used so short a time ago, small bodies are let in without a new look at it. */
const CALM = 0.5;
const CALM_MS = 20;
const SMALL_BYTES = 64 * 1024;

/** From so many bytes on, memory is kept for a body until its request is over: it is taken up only while the body is read. */
const LARGE_BYTES = 1024 * 1024;

/**
 * Most bytes of large bodies that are under way together: fifty conversations full of pictures. A heap of some GiB would have room for
 * more, but fifty small bodies that each are 60 MB when they are decoded took 2.7 GiB so.
 */
const LARGE_TOGETHER_BYTES = 256 * 1024 * 1024;

const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);

/** @param of what the limit is of, where it is not the heap's */
function shortOfMemory(used: number, limit: number, bytes: number, of = ''): ApiError {
  const words = `the instance is short of memory: ${mib(used)} of ${mib(limit)} MiB are used, and the request has ${mib(bytes)}${of}`;
  return new ApiError('short_of_memory', words);
}

/**
 * Refuses a request for whose body there is no memory: at the end of its heap the process would die, and all its streams with it.
 */
export class MemoryGuard {
  readonly #clock: Clock;
  readonly #readHeap: () => Heap;
  readonly #collect: () => void;
  readonly #prepare: () => void;
  #collectedAt = Number.NEGATIVE_INFINITY;
  #calmAt = Number.NEGATIVE_INFINITY;
  /** Bytes of the large bodies that are under way. */
  #kept = 0;
  #isPrepared = false;

  /** @param prepare called with the first body that is not small */
  constructor(
    clock: Clock,
    readHeap: () => Heap = getHeapStatistics,
    collect = collectGarbage,
    prepare = weighExternalMemory,
  ) {
    this.#clock = clock;
    this.#readHeap = readHeap;
    this.#collect = collect;
    this.#prepare = prepare;
  }

  /**
   * @param contentLength of the body, in bytes; 0 when it is not known
   * @throws ApiError `short_of_memory`
   */
  check(contentLength: number): void {
    if (contentLength <= SMALL_BYTES && this.#clock.monotonic() - this.#calmAt < CALM_MS) return;
    if (contentLength > SMALL_BYTES && !this.#isPrepared) {
      this.#isPrepared = true;
      this.#prepare();
    }
    const needed = contentLength * HEAP_PER_BYTE;
    if (this.#hasRoom(needed) || (this.#makeRoom() && this.#hasRoom(needed))) return;
    throw shortOfMemory(this.#taken(), this.#readHeap().heap_size_limit, contentLength);
  }

  /**
   * The same, and keeps the memory for a large body, so that others that come in before it is read do not get the same.
   * @returns what gives it back
   */
  keep(bytes: number): () => void {
    this.check(bytes);
    if (bytes < LARGE_BYTES) return () => {};
    // One alone may be as large as MAX_BODY_BYTES says.
    if (this.#kept > 0 && this.#kept + bytes > LARGE_TOGETHER_BYTES) {
      throw shortOfMemory(this.#kept, LARGE_TOGETHER_BYTES, bytes, ' (of large requests together)');
    }
    this.#kept += bytes;
    return () => {
      this.#kept -= bytes;
    };
  }

  #hasRoom(needed: number): boolean {
    const taken = this.#taken();
    const { heap_size_limit: limit } = this.#readHeap();
    if (taken <= limit * CALM) this.#calmAt = this.#clock.monotonic();
    return taken + needed <= limit * MOST;
  }

  /** What is used of the heap, or will be when the large bodies have been read. What lies beside it, as bytes do, may take as much. */
  #taken(): number {
    const { used_heap_size: used, external_memory: beside } = this.#readHeap();
    return Math.max(used, beside, this.#kept * HEAP_PER_BYTE);
  }

  /** V8 does so when it allocates, which it does not where everything is refused. */
  #makeRoom(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#collectedAt < COLLECT_MS) return false;
    this.#collectedAt = now;
    this.#collect();
    return true;
  }
}

/** What is kept for the body of one request, as far as its size is known. */
export class BodyMemory {
  readonly #guard: MemoryGuard;
  readonly #response: ServerResponse;
  #isWatched = false;
  #giveBack: (() => void) | undefined;

  constructor(guard: MemoryGuard, response: ServerResponse) {
    this.#guard = guard;
    this.#response = response;
  }

  /**
   * Says how large the body is, or is at least. What is kept for it is given back when the response is over.
   * @param bytes decoded
   * @throws ApiError `short_of_memory`; nothing is kept then
   */
  grow(bytes: number): void {
    if (bytes < LARGE_BYTES) {
      this.#guard.check(bytes);
      return;
    }
    this.#release();
    if (this.#response.destroyed) throw new ApiError('invalid_request', 'the client has gone before its body was read');
    if (!this.#isWatched) this.#response.once('close', () => this.#release());
    this.#isWatched = true;
    this.#giveBack = this.#guard.keep(bytes);
  }

  #release(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}

const IDLE_CHECK_MS = 2000;

/** So much more than the last collection has left is worth one: less comes and goes with every conversation. */
const WORTH_COLLECTING_BYTES = 64 * 1024 * 1024;

/** What is in use in V8's heap and beside it, garbage included, in bytes. */
function readUsage(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/**
 * Gives memory back to the system while nothing is under way: V8 collects garbage when it allocates, so that an idle instance would
 * keep what its last large requests and answers have left, some hundred MiB, for hours.
 */
export function collectWhenIdle(openRequests: () => number, usage = readUsage, collect = collectGarbage): void {
  let left = usage();
  setInterval(() => {
    if (openRequests() > 0) return;
    const used = usage();
    left = Math.min(left, used);
    if (used - left < WORTH_COLLECTING_BYTES) return;
    collect();
    left = usage();
  }, IDLE_CHECK_MS).unref();
}
