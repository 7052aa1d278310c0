import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { BodyMemory, collectWhenIdle, MemoryGuard } from '../../../src/server/memoryGuard.ts';

const MIB = 1024 * 1024;

let used: number;
let garbage: number;
/** In buffers, beside the heap. */
let beside: number;
let limit: number;
let now: number;
const collect = vi.fn(() => {
  used -= garbage;
  garbage = 0;
});
const prepare = vi.fn();
const clock = { now: () => now, monotonic: () => now };
let memory: MemoryGuard;

beforeEach(() => {
  [used, garbage, beside, limit, now] = [0, 0, 0, 1000, 0];
  collect.mockClear();
  prepare.mockClear();
  const readHeap = () => ({
    used_heap_size: used * MIB,
    external_memory: beside * MIB,
    heap_size_limit: limit * MIB,
  });
  memory = new MemoryGuard(clock, readHeap, collect, prepare);
});

test.each([
  ['much is free', 100, 32],
  ['a body of unknown length, up to nine tenths', 900, 0],
  ['a body that just has room', 600, 100],
])('P12 a request is taken on: %s', (_label, megabytes, body) => {
  used = megabytes;
  expect(() => memory.check(body * MIB)).not.toThrow();
  expect(collect).not.toHaveBeenCalled();
});

test.each([
  ['above nine tenths', 901, 0],
  ['a body for which there is no room', 600, 101],
])('P12 a request is refused, to be repeated: %s', (_label, megabytes, body) => {
  used = megabytes;
  const refuse = () => memory.check(body * MIB);
  expect(refuse).toThrow(ApiError);
  expect(refuse).toThrow(`${megabytes} of 1000 MiB are used, and the request has ${body}`);
});

test('P12 V8 weighs bytes beside its heap otherwise from the first body on that is not small', () => {
  memory.check(0);
  memory.check(64 * 1024);
  expect(prepare).not.toHaveBeenCalled();
  memory.check(64 * 1024 + 1);
  memory.keep(MIB);
  expect(prepare).toHaveBeenCalledTimes(1);
});

test('P12 what lies beside the heap, as bytes do, may take as much as the heap', () => {
  beside = 900;
  expect(() => memory.check(0)).not.toThrow();
  beside = 901;
  now += 1000;
  expect(() => memory.check(0)).toThrow('901 of 1000 MiB are used');
});

describe('P12 what nobody needs any more', () => {
  test('is no reason to refuse', () => {
    [used, garbage] = [950, 100];
    expect(() => memory.check(0)).not.toThrow();
    expect(collect).toHaveBeenCalledTimes(1);
  });

  test('is not searched for with each request', () => {
    used = 950;
    for (let index = 0; index < 10; index += 1) expect(() => memory.check(0)).toThrow('short of memory');
    expect(collect).toHaveBeenCalledTimes(1);
    now = 5000;
    garbage = 100;
    expect(() => memory.check(0)).not.toThrow();
  });
});

test('P12 the process asks its own heap', () => {
  const own = new MemoryGuard(clock);
  expect(() => own.check(0)).not.toThrow();
  expect(() => own.check(Number.MAX_SAFE_INTEGER)).toThrow('short of memory');
});

describe('P12 what is kept for the bodies under way', () => {
  const open = () => Object.assign(new EventEmitter(), { destroyed: false }) as unknown as ServerResponse;
  const bodyOf = (response = open()) => new BodyMemory(memory, response);
  const takes = (megabytes: number) => bodyOf().grow(megabytes * MIB);

  test('is not given to another one, although the heap does not have it yet', () => {
    limit = 500;
    takes(100);
    expect(() => takes(51)).toThrow('300 of 500 MiB are used, and the request has 51');
    takes(50);
    expect(() => takes(1)).toThrow('short of memory');
  });

  test('grows with the body, and is free again when its response is over', () => {
    const response = open();
    const body = bodyOf(response);
    for (let size = 1; size <= 300; size += 1) body.grow(size * MIB);
    expect(() => takes(1)).toThrow('short of memory');
    response.emit('close');
    takes(300);
  });

  test('is free again when the body grows too large', () => {
    const body = bodyOf();
    body.grow(300 * MIB);
    expect(() => body.grow(301 * MIB)).toThrow('short of memory');
    takes(300);
  });

  test('is not taken for a client that has gone', () => {
    const response = open();
    const body = bodyOf(response);
    body.grow(300 * MIB);
    Object.assign(response, { destroyed: true });
    response.emit('close');
    expect(() => body.grow(300 * MIB)).toThrow('the client has gone');
    takes(300);
  });

  test('is bounded however large the heap may grow, but for one body alone', () => {
    limit = 16_000;
    const response = open();
    bodyOf(response).grow(400 * MIB);
    expect(() => takes(1)).toThrow('400 of 256 MiB are used, and the request has 1 (of large requests together)');
    response.emit('close');
    for (let count = 0; count < 4; count += 1) takes(60);
    expect(() => takes(17)).toThrow('240 of 256 MiB');
    takes(0.5);
    takes(16);
  });

  test('is counted once, as what has been read of it is in use', () => {
    limit = 500;
    takes(100);
    used = 300;
    takes(50);
  });
});

describe('L12 memory is given back', () => {
  let live: number;
  let left: number;
  let requests: number;
  const clean = vi.fn(() => {
    left = 0;
  });

  beforeEach(() => {
    [live, left, requests] = [40, 0, 0];
    vi.useFakeTimers({ toFake: ['setInterval'] });
    clean.mockClear();
    collectWhenIdle(
      () => requests,
      () => (live + left) * MIB,
      clean,
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('when nothing is under way and there may be much', () => {
    [left, requests] = [500, 1];
    vi.advanceTimersByTime(60_000);
    expect(clean).not.toHaveBeenCalled();
    requests = 0;
    vi.advanceTimersByTime(2000);
    expect(clean).toHaveBeenCalledTimes(1);
  });

  test('not again and again where it is in use, nor for little', () => {
    live = 200;
    vi.advanceTimersByTime(60_000);
    expect(clean).toHaveBeenCalledTimes(1);
    left = 63;
    vi.advanceTimersByTime(60_000);
    expect(clean).toHaveBeenCalledTimes(1);
    live = 40;
    left = 0;
    vi.advanceTimersByTime(2000);
    left = 64;
    vi.advanceTimersByTime(2000);
    expect(clean).toHaveBeenCalledTimes(2);
  });
});
