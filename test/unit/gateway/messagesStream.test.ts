import { expect, test } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { PassthroughReader, ToolInputFrames } from '../../../src/gateway/adapters/messagesStream.ts';
import { nativeEvent } from '../../helpers/anthropicServer.ts';

const MIB = 1024 * 1024;
const START = nativeEvent('message_start', { message: { model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } });
const reader = (repair?: ToolInputFrames) => new PassthroughReader(() => new ApiError('overloaded', 'no'), repair);

/** Pushes a block until the reader refuses more; gives how many bytes it took. */
function pushUntilRefused(target: PassthroughReader, block: Buffer): number {
  let taken = 0;
  try {
    for (; taken < 100 * MIB; taken += block.length) target.pushBytes(block);
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad_gateway', message: expect.stringContaining('4194304 bytes') });
    return taken;
  }
  throw new Error('it takes whatever comes');
}

test.each([
  ['pings', nativeEvent('ping').repeat(1000)],
  ['pieces of what has not begun', `event: content_block_delta\ndata: ${'z'.repeat(9000)}\n\n`],
  ['comments', ': c\n\n'.repeat(10_000)],
])('of %s before the first event no more than 4 MiB are held', (_name, text) => {
  expect(pushUntilRefused(reader(), Buffer.from(text))).toBeLessThanOrEqual(4 * MIB);
});

test('what was held goes out with the first event, in order', () => {
  const target = reader();
  for (const byte of Buffer.from(nativeEvent('ping'))) expect(target.pushBytes(Buffer.from([byte]))).toHaveLength(0);
  expect(String(target.pushBytes(Buffer.from(START)))).toBe(nativeEvent('ping') + START);
});

test('of tool input that waits for its repair no more than 4 MiB are held', () => {
  const target = reader(new ToolInputFrames((_name, input) => input));
  target.pushBytes(Buffer.from(START));
  const open = { index: 0, content_block: { type: 'tool_use', id: 'a', name: 'T', input: {} } };
  target.pushBytes(Buffer.from(nativeEvent('content_block_start', open)));
  const delta = { type: 'input_json_delta', partial_json: 'y' };
  const block = Buffer.from(nativeEvent('content_block_delta', { index: 0, delta }).repeat(1000));
  const pieces = pushUntilRefused(target, block) / (block.length / 1000);
  // Each piece weighs more than its one letter.
  expect(pieces).toBeLessThan((4 * MIB) / 16);
});

test('more than 100 events in a row that are no JSON end a stream, before its beginning and in the middle', () => {
  const bad = (count: number) => Buffer.from('event: x\ndata: {z\n\n'.repeat(count));
  const waiting = reader();
  waiting.pushBytes(bad(100));
  expect(waiting.outcome.error).toBeUndefined();
  expect(waiting.pushBytes(bad(1))).toHaveLength(0);
  expect(waiting.outcome.error).toMatchObject({ code: 'bad_gateway' });

  const begun = reader();
  for (const part of [Buffer.from(START), bad(100), Buffer.from(nativeEvent('ping')), bad(100)]) begun.pushBytes(part);
  expect(begun.outcome.error).toBeUndefined();
  const last = String(begun.pushBytes(bad(1)));
  expect(last).toContain('event: error');
  expect(last).toContain('in a row that are not JSON');
});
