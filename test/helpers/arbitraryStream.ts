import fc from 'fast-check';
import type { ContextOptions } from './responseContext.ts';

/** How often a property is tried: many times in the long mode (`npm run test:long`). */
export const RUNS = process.env['LONG'] === undefined ? 2000 : 100_000;

/** Milliseconds that a property may take on a busy machine. */
export const TIME_LIMIT = process.env['LONG'] === undefined ? 60_000 : 1_800_000;

const WORDS = [
  'Hi',
  ' ',
  '\n',
  'ä',
  '你好',
  '😀',
  '\ud83d',
  '\ude00',
  '<think>',
  '</think>',
  '<th',
  'ink>',
  '"',
  '\\',
  '{',
  'END',
  'EN',
  'D',
];
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 4 }).map((list) => list.join(''));

const ARGUMENTS = [
  '{"a"',
  ':1}',
  '{"a":"b',
  '"}',
  '{}',
  ',',
  ' ',
  "{'a'",
  '[',
  ']',
  '"x":"ä😀"',
  '\n',
  '{"a":1}',
  '```json',
  'null',
  '\\',
  '\ud83d',
];
const argumentPiece = fc.oneof(
  fc.constantFrom(...ARGUMENTS),
  fc.json({ maxDepth: 2 }),
  fc.constant(undefined),
  fc.constant(null),
);

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const callPiece = fc.record(
  {
    index: fc.constantFrom(0, 0, 0, 1, 1, 2, 7, -1, null),
    id: fc.constantFrom('a', 'b', '', null, 'call_1'),
    function: fc.record(
      { name: fc.constantFrom('Read', 'Write', 'read', '', null), arguments: argumentPiece },
      { requiredKeys: [] },
    ),
    extra_content: fc.constant({ vendor: { signature: 's' } }),
  },
  { requiredKeys: ['function'] },
);

const delta = fc.record(
  {
    role: fc.constantFrom('assistant', ''),
    content: fc.oneof(words, words, fc.constant(null), fc.array(words.map((text) => ({ type: 'text', text })))),
    reasoning_content: fc.oneof(words, fc.constant(null)),
    reasoning: words,
    reasoning_details: fc.array(
      fc.record({ type: fc.constant('reasoning.text'), text: words, signature: maybe(words) }),
    ),
    refusal: words,
    tool_calls: fc.oneof(fc.array(callPiece, { maxLength: 3 }), fc.constant(null)),
    function_call: fc.record({ name: fc.constant('Read'), arguments: argumentPiece }),
  },
  { requiredKeys: [] },
);

const usage = fc.record(
  {
    prompt_tokens: fc.nat(2000),
    completion_tokens: fc.nat(2000),
    cached_tokens: fc.nat(2000),
    total_tokens: fc.nat(9000),
  },
  { requiredKeys: [] },
);

const FINISH = ['stop', 'length', 'tool_calls', 'content_filter', 'weird', '', 'error'];
const choice = fc.record(
  {
    index: fc.constant(0),
    delta: fc.oneof({ arbitrary: delta, weight: 8 }, { arbitrary: fc.constant(null), weight: 1 }),
    finish_reason: fc.oneof(
      { arbitrary: fc.constant(null), weight: 20 },
      { arbitrary: fc.constantFrom(...FINISH), weight: 1 },
    ),
    usage,
  },
  { requiredKeys: ['delta', 'finish_reason'] },
);

const chunk = fc.record(
  {
    id: fc.constant('c'),
    model: fc.constant('m'),
    object: fc.constantFrom('chat.completion.chunk', 'chat.completion.chunk', 'chat.completion'),
    choices: fc.oneof(
      { arbitrary: fc.array(choice, { minLength: 1, maxLength: 2 }), weight: 9 },
      { arbitrary: fc.constantFrom([], null), weight: 1 },
    ),
    usage: fc.oneof(usage, fc.constant(null)),
  },
  { requiredKeys: ['choices'] },
);

const textChunk = words.map((content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }));

const callChunk = fc
  .array(callPiece, { minLength: 1, maxLength: 2 })
  .map((pieces) => ({ choices: [{ index: 0, delta: { tool_calls: pieces }, finish_reason: null }] }));

const frame = fc.oneof(
  { arbitrary: chunk.map((value) => JSON.stringify(value)), weight: 12 },
  { arbitrary: textChunk.map((value) => JSON.stringify(value)), weight: 12 },
  { arbitrary: callChunk.map((value) => JSON.stringify(value)), weight: 8 },
  { arbitrary: fc.constantFrom('{"choices":[{"delta":{},"finish_reason":"stop"}]}', '[DONE]'), weight: 2 },
  { arbitrary: fc.constantFrom('nonsense', '{"cut', '5', '{"error":{"message":"boom"}}', '[]', '{}'), weight: 1 },
);

/** Data of a stream's frames: weird, but much of it like what providers send. */
export const arbitraryFrames = fc.array(frame, { maxLength: 20 });

/** How the frames are written as bytes. */
export const arbitraryFraming = fc.record({
  lineEnd: fc.constantFrom('\n', '\n', '\r\n', '\r'),
  start: fc.constantFrom('', '\ufeff', ': comment\n\n'),
  end: fc.constantFrom(
    '',
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    'data: [DONE]',
  ),
});

export function writeFrames(
  frames: readonly string[],
  framing: { lineEnd: string; start: string; end: string },
): Buffer {
  const text = framing.start + frames.map((data) => `data: ${data}\n\n`).join('') + framing.end;
  return Buffer.from(text.replaceAll('\n', framing.lineEnd));
}

export const arbitraryOptions: fc.Arbitrary<ContextOptions> = fc.record({
  settings: fc.record({
    toolArgs: fc.constantFrom('live', 'live', 'buffer'),
    thinkTags: fc.constantFrom('auto', 'on', 'off'),
    thinkOpen: fc.boolean(),
    lateReasoning: fc.constantFrom('drop', 'block'),
    argsCumulative: fc.boolean(),
    reasoningReplay: fc.constantFrom('none', 'reasoning_details'),
    reasoningCumulative: fc.boolean(),
  }),
  tools: fc.constantFrom({}, { Read: { type: 'object', properties: { a: { type: 'number' } } } }),
  stopSequences: fc.constantFrom([], ['END']),
});

export const arbitraryEnding = fc.constantFrom('end' as const, 'fail' as const);
