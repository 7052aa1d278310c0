import { describe, expect, test } from 'vitest';
import { JsonBodyCodec, RequestBody, runCooperatively, withBody } from '../../../src/gateway/requestBody.ts';
import { InFlight } from '../../../src/gateway/services.ts';
import { parseInSteps } from '../../../src/protocol/anthropic/request.ts';
import { FIELD_MAX } from '../../../src/protocol/json/incrementalParser.ts';
import { ConversationCache } from '../../../src/translate/conversationCache.ts';

const text = 'Read the file and say what is in it. '.repeat(2000);
const messages = Array.from({ length: 40 }, (_, index) => ({ role: 'user', content: `${index} ${text}` }));
const large = { model: 'm', messages };
const largeBytes = Buffer.from(JSON.stringify(large));
const smallBytes = Buffer.from('{"model":"m","messages":[]}');

/** How often the work pauses, and what it comes to. */
function carryOut<T>(work: Generator<void, T>): { pauses: number; value: T } {
  for (let pauses = 0; ; pauses += 1) {
    const { done, value } = work.next();
    if (done === true) return { pauses, value };
  }
}

describe('a body of 3 MB is dealt with in steps', () => {
  test('when it is read', () => {
    const { pauses, value } = carryOut(new JsonBodyCodec().read(largeBytes));
    expect(pauses).toBeGreaterThanOrEqual(4);
    expect(value).toEqual(large);
  });

  test('when it is measured, which then costs nothing', () => {
    const body = new RequestBody(largeBytes, structuredClone(large), new ConversationCache());
    expect(carryOut(body.measureInSteps()).pauses).toBeGreaterThanOrEqual(1);
    expect(carryOut(body.measureInSteps()).pauses).toBeGreaterThanOrEqual(1);
    expect(body.measured).toEqual(
      new RequestBody(largeBytes, structuredClone(large), new ConversationCache()).measured,
    );
  });

  test('when it is printed, once', () => {
    const bodies = new JsonBodyCodec();
    expect(carryOut(bodies.writer.prepare(large)).pauses).toBeGreaterThanOrEqual(4);
    expect(carryOut(bodies.writer.prepare(large)).pauses).toBe(0);
    expect(bodies.writer.write(large)).toEqual(largeBytes);
  });

  test('and small messages are printed together, as a pause for each would cost more than it gives', () => {
    const small = { messages: Array.from({ length: 1000 }, (_, index) => ({ role: 'user', content: `${index}` })) };
    expect(carryOut(new JsonBodyCodec().writer.prepare(small)).pauses).toBe(0);
  });

  test('and what cannot be measured is no fault yet', () => {
    expect(
      carryOut(new RequestBody(smallBytes, { model: 'm', messages: 'none' }, new ConversationCache()).measureInSteps())
        .pauses,
    ).toBe(0);
  });
});

test('conversations are distinguished by the beginning of the first message, however long it is', () => {
  const of = (content: unknown) => {
    const value = { model: 'm', messages: [{ role: 'user', content }] };
    return new RequestBody(smallBytes, value, new ConversationCache()).firstMessage;
  };
  const words = 'a'.repeat(16_384);
  expect(of(`${words}b`)).toBe(of(`${words}c`));
  expect(of(`b${words}`)).not.toBe(of(`c${words}`));
  const blocks = Array(100).fill({ type: 'text', text: 'a' });
  expect(of([...blocks, 'b'])).toBe(of([...blocks, 'c']));
  expect(of(['b', ...blocks])).not.toBe(of(['c', ...blocks]));
});

describe('a body of 6,000 messages and tools is dealt with in steps', () => {
  const many = {
    model: 'm',
    tools: Array.from({ length: 6000 }, (_, index) => ({ name: `tool_${index}`, input_schema: { type: 'object' } })),
    messages: Array.from({ length: 6000 }, (_, index) => ({ role: 'user', content: `${index}` })),
  };
  const bytes = Buffer.from(JSON.stringify(many));

  test('when it is read', () => {
    expect(carryOut(new JsonBodyCodec().read(bytes)).pauses).toBeGreaterThanOrEqual(12);
  });

  test('when it is parsed and measured', () => {
    const cache = new ConversationCache();
    const body = new RequestBody(bytes, structuredClone(many), cache);
    expect(carryOut(parseInSteps(body.value, cache)).pauses).toBe(6000);
    expect(carryOut(body.measureInSteps()).pauses).toBeGreaterThanOrEqual(12 + 8);
    expect(body.parsed).toEqual(many);
  });

  test('and what is wrong with it is found when somebody asks for it', () => {
    const messages = [...many.messages, { role: 'nobody', content: '' }];
    const body = new RequestBody(bytes, { ...many, messages }, new ConversationCache());
    carryOut(body.measureInSteps());
    expect(() => body.parsed).toThrow('messages.6000.role');
  });
});

describe('a body is refused before it is parsed', () => {
  const bodyWith = (text: string) => Buffer.from(`{"model":"m","x":${text},"messages":[]}`);
  const objects = '{},'.repeat(20_000_000);

  test.each([
    ['that holds too many values', () => bodyWith(`[${objects}{}]`), 'request_too_large', 'more than 250000 values'],
    [
      'one field of which is too large',
      () => bodyWith(`"${'a'.repeat(33 * 1024 * 1024)}"`),
      'request_too_large',
      'larger than 33554432 bytes',
    ],
    [
      'one field of which holds too many values',
      () => bodyWith(`[${'1,'.repeat(FIELD_MAX.values)}1]`),
      'request_too_large',
      'more than 50000 values',
    ],
    [
      'one field of which has too many escaped letters, however far apart they are',
      () => bodyWith(`"${`${'a'.repeat(20)}\\n`.repeat(FIELD_MAX.escapes + 1)}"`),
      'request_too_large',
      'more than 1000000 escapes',
    ],
    [
      'that is large and no object',
      () => Buffer.alloc(33 * 1024 * 1024, 'z'),
      'invalid_request',
      'not plainly one object',
    ],
  ])('%s', (_name, make, code, message) => {
    const bytes = make();
    const before = process.threadCpuUsage();
    const read = () => carryOut(new JsonBodyCodec().read(bytes));
    expect(read).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
    const { user, system } = process.threadCpuUsage(before);
    // To parse the first would take seconds.
    expect((user + system) / 1000).toBeLessThan(400);
  });
});

test('after very many values everything is forgotten once, as the tables behind it never become smaller', () => {
  const codec = new JsonBodyCodec();
  const read = (body: object) => carryOut(codec.read(Buffer.from(JSON.stringify(body)))).value;
  const conversation = { messages: [{ role: 'user', content: 'a long beginning '.repeat(2000) }] };
  const first = () => (read(conversation) as typeof conversation).messages[0];
  const { cache, writer } = codec;
  const known = first();
  for (let index = 0; index < 3; index += 1) {
    expect(first()).toBe(known);
    read({ name: `body ${index} ${'x'.repeat(16_384)}`, values: Array.from({ length: 45_000 }, () => index) });
  }
  const again = first();
  expect(again).toEqual(known);
  expect(again).not.toBe(known);
  expect(first()).toBe(again);
  expect(codec.cache).not.toBe(cache);
  expect(codec.writer).not.toBe(writer);
});

describe('between the stretches', () => {
  test('all others have their turn', async () => {
    const seen: string[] = [];
    const longerThanAStretch = () => {
      const until = performance.now() + 10;
      while (performance.now() < until);
    };
    function* work(): Generator<void, void> {
      for (const step of ['one', 'two', 'three']) {
        seen.push(step);
        longerThanAStretch();
        yield;
      }
    }
    const done = runCooperatively(work(), largeBytes.length);
    setImmediate(() => seen.push('another'));
    await done;
    expect(seen).toEqual(['one', 'another', 'two', 'three']);
  });

  test('and no two works go on in one turn', async () => {
    let turn = 0;
    let next = setImmediate(function count() {
      turn += 1;
      next = setImmediate(count);
    });
    const turns: number[] = [];
    function* work(): Generator<void, void> {
      for (let step = 0; step < 3; step += 1) {
        const until = performance.now() + 3;
        while (performance.now() < until);
        yield;
        turns.push(turn);
      }
    }
    await Promise.all([1, 2, 3].map(() => runCooperatively(work(), largeBytes.length)));
    clearImmediate(next);
    expect(new Set(turns).size).toBe(9);
  });

  test('short work is over at once, however often it may pause', () => {
    function* work(): Generator<void, string> {
      for (let step = 0; step < 100; step += 1) yield;
      return 'over';
    }
    expect(runCooperatively(work(), largeBytes.length)).toBe('over');
  });

  test('work on a short body is over at once, however long it takes', () => {
    function* work(): Generator<void, string> {
      const until = performance.now() + 20;
      while (performance.now() < until) yield;
      return 'over';
    }
    expect(runCooperatively(work(), smallBytes.length)).toBe('over');
  });

  test('a stop waits for a body that is being read', async () => {
    const services = { bodies: new JsonBodyCodec(), inFlight: new InFlight() };
    const reading = withBody(services, largeBytes, async (body) => body.object.model);
    expect(services.inFlight.size).toBe(1);
    expect(await reading).toBe('m');
    expect(services.inFlight.size).toBe(0);
  });

  test('and no longer than that: the answer is under way by itself', async () => {
    const services = { bodies: new JsonBodyCodec(), inFlight: new InFlight() };
    const answer = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const reading = withBody(services, largeBytes, () => {
      began.resolve();
      return answer.promise;
    });
    await began.promise;
    expect(services.inFlight.size).toBe(0);
    answer.resolve();
    await reading;
  });

  test('a large body that is no JSON is refused, and nothing waits any more', async () => {
    const services = { bodies: new JsonBodyCodec(), inFlight: new InFlight() };
    const broken = Buffer.concat([largeBytes.subarray(0, -1), Buffer.from('!')]);
    await expect(withBody(services, broken, async () => 'read')).rejects.toMatchObject({ code: 'invalid_request' });
    expect(services.inFlight.size).toBe(0);
  });

  test('a small one is gone on with at once', () => {
    const services = { bodies: new JsonBodyCodec(), inFlight: new InFlight() };
    let wentOn = false;
    void withBody(services, smallBytes, async () => {
      wentOn = true;
    });
    expect(wentOn).toBe(true);
    expect(services.inFlight.size).toBe(0);
  });
});
