import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { RelayReader } from '../../../src/gateway/chatCompletions.ts';
import { ANSWER_MAX } from '../../../src/protocol/bounds.ts';
import type { FailureContext } from '../../../src/upstream/errors.ts';
import { DISCARD, Exchange, GATHERED_MAX } from '../../../src/upstream/exchange.ts';
import type { UpstreamHandler } from '../../../src/upstream/upstream.ts';

const CONTEXT: FailureContext = {
  provider: 'p',
  keyName: 'KEY',
  model: 'm',
  inputEstimate: 1,
  contextWindow: undefined,
  errorCodes: {},
  redact: (text) => text,
  now: 0,
};

/** An exchange whose answer is given by hand. */
function openExchange(status = 200): { exchange: Exchange; handler: UpstreamHandler; stop: () => void } {
  const controller = new AbortController();
  const handlers: UpstreamHandler[] = [];
  const fault = () => {
    throw new Error('nothing failed');
  };
  const exchange = new Exchange({
    upstream: {
      send: (_request, handler) => {
        handlers.push(handler);
        return { abort() {}, pause() {}, resume() {} };
      },
      close: async () => {},
    },
    attempt: {
      request: { model: 'm', body: '', stream: false, authorization: undefined },
      reader: new RelayReader(fault),
      idleTimeoutMs: 60_000,
      usageWaitMs: 0,
    },
    requestTimeoutMs: 60_000,
    failures: { failureContext: () => CONTEXT },
    sink: DISCARD,
    signal: controller.signal,
    clock: { now: () => 0, monotonic: () => 0 },
  });
  const [handler] = handlers;
  if (handler === undefined) throw new Error('nothing was sent');
  handler.onHead(status, { 'content-type': 'application/json' });
  return { exchange, handler, stop: () => controller.abort() };
}

test('U12 whole answers together gather no more than 128 MiB, and what has ended counts no more', async () => {
  const half = Buffer.alloc(ANSWER_MAX / 2, '{');
  const gather = () => {
    const opened = openExchange();
    for (let part = 0; part < 2; part += 1) opened.handler.onData(half);
    return opened;
  };
  const gathering = Array.from({ length: GATHERED_MAX / ANSWER_MAX }, gather);
  const refused = { kind: 'failed', error: { code: 'overloaded', message: expect.stringContaining('too many large') } };
  expect(await gather().exchange.result).toMatchObject(refused);
  expect(await gather().exchange.result).toMatchObject(refused);
  gathering[0]?.stop();
  const { exchange, stop } = gather();
  for (const each of gathering) each.stop();
  stop();
  expect(await exchange.result).toEqual({ kind: 'aborted' });
});

const answered = { kind: 'failed', error: { message: expect.stringContaining('broken') } };

test('U12 of an error no more than 64 KiB are read, whatever follows', async () => {
  const { exchange, handler } = openExchange(500);
  handler.onData(Buffer.from('broken '));
  handler.onData(Buffer.alloc(64 * 1024, 'x'));
  expect(await Promise.race([exchange.result, nextTurn()])).toMatchObject(answered);
});

test('U11 the end of an error is not waited for longer than three seconds', async () => {
  vi.useFakeTimers();
  try {
    const { exchange, handler } = openExchange(500);
    const ended = vi.fn();
    void exchange.result.then(ended);
    for (let second = 0; second < 3; second += 1) {
      handler.onData(Buffer.from('broken '));
      await vi.advanceTimersByTimeAsync(950);
    }
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(ended.mock.calls).toMatchObject([[answered]]);
  } finally {
    vi.useRealTimers();
  }
});
