import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBuffer, DEPTH_MAX, HeldBudget, parseBounded } from '../../../src/protocol/bounds.ts';

test('a byte buffer gives what was appended, in whatever pieces, and is empty then', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 })), (pieces) => {
      const buffer = new ByteBuffer();
      for (const piece of pieces) {
        const copy = Uint8Array.from(piece);
        buffer.append(copy);
        copy.fill(0); // the caller's buffer is its own
      }
      expect(buffer.length).toBe(Buffer.concat(pieces).length);
      expect(Buffer.from(buffer.take())).toEqual(Buffer.concat(pieces));
      expect(buffer.length).toBe(0);
      expect(buffer.take()).toHaveLength(0);
    }),
  );
});

describe('JSON of a provider', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  test('is what JSON.parse gives, as deep as anybody means it', () => {
    for (const text of ['1', '"a"', nested(DEPTH_MAX), `{"a":${nested(DEPTH_MAX - 1)}}`]) {
      expect(parseBounded(text)).toEqual(JSON.parse(text));
    }
    expect(() => parseBounded('{')).toThrow(SyntaxError);
  });

  test('is refused when it is nested deeper, and not for brackets that only stand in texts or side by side', () => {
    for (const depth of [DEPTH_MAX + 1, 90_000]) {
      expect(() => parseBounded(nested(depth))).toThrow(/nested deeper than 256 levels/);
      expect(() => parseBounded(`[${'1,'.repeat(1000)}{"a":${nested(depth)}}]`)).toThrow(/nested deeper/);
    }
    expect(parseBounded(JSON.stringify(nested(10_000)))).toBe(nested(10_000));
    expect(parseBounded(`[${Array(10_000).fill('[]').join(',')}]`)).toHaveLength(10_000);
  });
});

test('a budget counts pieces beside letters, and what was let go counts no more', () => {
  const budget = new HeldBudget();
  const cost = budget.add(8 * 1024 * 1024);
  expect(budget.isExceeded).toBe(true);
  budget.release(cost);
  expect(budget.isExceeded).toBe(false);
  for (let piece = 0; piece < 600_000; piece += 1) budget.add(1);
  expect(budget.isExceeded).toBe(true);
});
