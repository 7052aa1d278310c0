import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { BodyMemory, MemoryGuard } from '../../../src/server/memoryGuard.ts';

const MIB = 1024 * 1024;

let used: number;
let garbage: number;
let now: number;
const collect = vi.fn(() => {
  used -= garbage;
  garbage = 0;
});
const clock = { now: () => now, monotonic: () => now };
let memory: MemoryGuard;

beforeEach(() => {
  [used, garbage, now] = [0, 0, 0];
  collect.mockClear();
  memory = new MemoryGuard(clock, () => ({ used_heap_size: used * MIB, heap_size_limit: 1000 * MIB }), collect);
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
    takes(200);
    expect(() => takes(101)).toThrow('600 of 1000 MiB are used, and the request has 101');
    takes(100);
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

  test('is counted once, as what has been read of it is in use', () => {
    takes(200);
    used = 600;
    takes(100);
  });
});
