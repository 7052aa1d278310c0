import { nativeEvent } from '../helpers/anthropicServer.ts';
import { events, flood, large, piece, repeated, toolCall, usageFrame } from './answering.ts';
import { CHAT_COMPLETIONS, COUNT_TOKENS, type Question, question, wholeQuestion } from './client.ts';
import { count, list, named, type Random, text } from './random.ts';
import type { Scenario } from './scenario.ts';

/** How a provider says things by one of the three APIs. What is given as JSON may be what no JSON writer would write. */
interface Speech {
  /** In front of the model's name: by whom it is served (stage.ts). */
  readonly prefix: string;
  /** What stands in front of an answer, with an id, a name of the model and a usage. */
  begin(id: string, model: string, usage: string): string;
  words(text: string): string;
  thoughts(text: string): string;
  call(index: number, id: string, name: string, input: string): string;
  /** Behind all others: why it has ended, and a usage. */
  end(reason: string, usage: string): string;
  /** In the middle. */
  failure(message: string): string;
  /** An answer in one piece, with further JSON in it. */
  whole(text: string, usage: string, more: string): string;
}

const NO_USAGE = '{}';
const asJson = (text: string) => JSON.stringify(text);

const chat: Speech = {
  prefix: '',
  begin: (id, model) =>
    `data: {"id":${asJson(id)},"model":${asJson(model)},"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n`,
  words: (content) => piece({ content }),
  thoughts: (thought) => piece({ reasoning_content: thought }),
  call: (index, id, name, input) => toolCall(index, { id, name, arguments: input }),
  end: (reason, usage) => `${piece({}, reason)}${usageFrame(usage)}data: [DONE]\n\n`,
  failure: (message) => `data: {"error":{"message":${asJson(message)},"code":${asJson(message)}}}\n\n`,
  whole: (content, usage, more) =>
    `{"choices":[{"message":{"content":${asJson(content)}},"finish_reason":"stop"}],"usage":${usage},"x":${more}}`,
};

const event = (type: string, fields: string) => `data: {"type":"response.${type}",${fields}}\n\n`;

const responses: Speech = {
  prefix: 'responses,',
  begin: (id, model, usage) =>
    event('created', `"response":{"id":${asJson(id)},"model":${asJson(model)},"usage":${usage}}`),
  words: (delta) => event('output_text.delta', `"output_index":0,"content_index":0,"delta":${asJson(delta)}`),
  thoughts: (delta) =>
    event('reasoning_summary_text.delta', `"output_index":0,"summary_index":0,"delta":${asJson(delta)}`),
  call: (index, id, name, input) =>
    event(
      'output_item.done',
      `"output_index":${index},"item":{"type":"function_call","call_id":${asJson(id)},"name":${asJson(name)},"arguments":${asJson(input)}}`,
    ),
  end: (reason, usage) =>
    event(
      reason === 'stop' ? 'completed' : 'incomplete',
      `"response":{"status":"incomplete","incomplete_details":{"reason":${asJson(reason)}},"usage":${usage}}`,
    ),
  failure: (message) =>
    event('failed', `"response":{"status":"failed","error":{"code":${asJson(message)},"message":${asJson(message)}}}`),
  whole: (content, usage, more) =>
    `{"object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":${asJson(content)}}]}],"usage":${usage},"x":${more}}`,
};

/** Goes on to the client as it comes, so that the order of its events is the right one whatever stands in them. */
const native: Speech = {
  prefix: 'native,',
  begin: (id, model, usage) =>
    `event: message_start\ndata: {"type":"message_start","message":{"id":${asJson(id)},"model":${asJson(model)},"type":"message","role":"assistant","content":[],"usage":${usage}}}\n\n`,
  words: (delta) => nativeEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: delta } }),
  thoughts: (thinking) => nativeEvent('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking } }),
  call: (index, id, name, input) =>
    nativeEvent('content_block_start', { index, content_block: { type: 'tool_use', id, name, input: {} } }) +
    nativeEvent('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: input } }) +
    nativeEvent('content_block_stop', { index }),
  end: (reason, usage) =>
    `event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":${asJson(reason)}},"usage":${usage}}\n\n${nativeEvent('message_stop')}`,
  failure: (message) => nativeEvent('error', { error: { type: message.slice(0, 100), message } }),
  whole: (content, usage, more) =>
    `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":${asJson(content)}}],"stop_reason":"end_turn","usage":${usage},"x":${more}}`,
};

const pickSpeech = (random: Random): Speech => random.pick([chat, responses, native]);
const titled = (speech: Speech) => (speech.prefix === '' ? 'chat' : speech.prefix.slice(0, -1));

/** What comes from a Messages API goes on as it is, with whatever its provider has put there. */
const ofSpeech = (speech: Speech, scenario: Omit<Scenario, 'passesOn'>): Scenario =>
  speech === native ? { ...scenario, passesOn: true } : scenario;

/** An answer of any API: so many pieces of a kind, with words, counts and an end of any kind. */
export function spokenAnswer(random: Random): Scenario {
  const speech = pickSpeech(random);
  const kind = random.pick(['words', 'thoughts', 'call', 'nothing'] as const);
  const pieces = kind === 'nothing' ? 0 : random.size(1, 100_000);
  const length = Math.ceil(random.size(1, 8_000_000) / Math.max(1, pieces));
  const word = (): string => text(random, random.next() < 0.8 ? random.size(1, 200) : random.size(1000, 5_000_000));
  const input = text(random, length);
  const ids = random.size(1, 1000);
  const each = (index: number) =>
    kind === 'words'
      ? speech.words(input)
      : kind === 'thoughts'
        ? speech.thoughts(input)
        : speech.call(random.coin ? index : 0, `c${index % ids}`, random.coin ? 'T' : 'U', random.coin ? '{}' : input);
  const body = Array.from({ length: Math.min(pieces, 20_000_000 / (length + 150)) }, (_, index) => each(index)).join(
    '',
  );
  const ends = random.pick<() => string>([
    () => speech.end(random.coin ? 'stop' : word(), random.coin ? usage(random) : NO_USAGE),
    () => speech.failure(word()),
    () => '',
  ])();
  return ofSpeech(speech, {
    name: named('spoken answer', titled(speech), kind, pieces, length, ends.slice(0, 40)),
    provider: events(speech.begin(word(), word(), random.coin ? usage(random) : NO_USAGE), body, ends),
    questions: [
      random.coin ? question(`${speech.prefix}hostile`) : wholeQuestion(`${speech.prefix}hostile`),
      question(`${speech.prefix}hostile`),
    ],
  });
}

function usage(random: Random): string {
  const names = ['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens', 'total_tokens'] as const;
  const more = [
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
    'prompt_tokens_details',
    'output_tokens_details',
  ] as const;
  const pairs = Array.from({ length: random.size(1, 6) }, () => `"${random.pick(names)}":${count(random)}`);
  const details = random.coin
    ? count(random)
    : `{"cached_tokens":${count(random)},"reasoning_tokens":${count(random)}}`;
  return `{${[...pairs, `"${random.pick(more)}":${details}`].join(',')}}`;
}

/** An answer in one piece, large or of many parts. */
export function wholeAnswer(random: Random): Scenario {
  const speech = pickSpeech(random);
  const bytes = random.size(100, 20_000_000);
  const [before = '', after = ''] = speech.whole(text(random, random.size(1, 1000)), usage(random), '[@]').split('@');
  const items = list(random, Math.min(bytes, 100_000));
  return ofSpeech(speech, {
    name: named('whole answer', titled(speech), bytes, items.slice(0, 20)),
    provider: large(
      200,
      { 'content-type': 'application/json' },
      { first: before, block: `${items},`, megabytes: bytes / 1e6, last: `1${after}` },
    ),
    questions: [wholeQuestion(`${speech.prefix}hostile`)],
  });
}

const MOST_FRAMES = 150_000;

/** How the arguments of a call begin and end which are no JSON, or become it when they are repaired. */
const OPENINGS = ['', '{', '{"a":"', "{'a':'", '{a:', '[{"a":"', '```json\n{"a":"', '"{\\"a\\":\\"'] as const;
const CLOSINGS = ['', '}', '"}', "'}", '",}', '"}]', '"}```', '\\"}"'] as const;

/** A stream that does not end, several times at once, or one that ends in all of them at the same time. */
export function spokenFlood(random: Random): Scenario {
  const speech = pickSpeech(random);
  const streams = random.size(1, 40);
  const length = random.size(1, 60_000);
  const letters = random.coin ? 'y'.repeat(length) : text(random, length);
  const input = (part: string) => speech.call(0, 'a', 'T', part);
  const [opening, frame, closing] = random.pick<() => readonly [string, string, string]>([
    () => ['', speech.words(letters), ''],
    () => ['', speech.thoughts(letters), ''],
    () => [input(random.pick(OPENINGS)), input(letters), input(random.pick(CLOSINGS))],
    () => ['', `: ${'c'.repeat(length)}\n\n`, ''],
    () => ['', `event: x\ndata: ${random.coin ? '{' : 'z'}${'z'.repeat(length)}\n\n`, ''],
    () => ['', `data: ${list(random, length)}\n\n`, ''],
  ])();
  // A busy machine would need more than the time that a scenario has for more of them.
  const all = Math.min(random.size(1, 120), (MOST_FRAMES * frame.length) / 1e6);
  const megabytes = all / streams;
  const isBegun = random.coin;
  return ofSpeech(speech, {
    name: named(
      'flood',
      titled(speech),
      frame.length,
      megabytes.toFixed(1),
      streams,
      opening.length,
      letters.slice(0, 20),
    ),
    provider: flood({
      first: `${isBegun ? speech.begin('i', 'm', NO_USAGE) : ''}${opening}`,
      block: repeated(frame, 40_000),
      megabytes,
      last: random.coin ? closing + speech.end('stop', NO_USAGE) : '',
    }),
    questions: Array.from({ length: streams }, () => question(`${speech.prefix}hostile`)),
  });
}

/** A request of any size and shape, to any API, answered, counted or shown. */
export function spokenRequest(random: Random): Scenario {
  const speech = pickSpeech(random);
  const { prefix } = speech;
  const size = random.size(1, 20_000);
  const block = (): unknown =>
    random.pick<() => unknown>([
      () => ({ type: 'text', text: text(random, random.size(1, 2_000_000 / size + 2)) }),
      () => ({ type: 'thinking', thinking: 'x', signature: text(random, random.size(1, 2000)) }),
      () => ({ type: 'tool_use', id: `t${random.size(1, 100)}`, name: text(random, 10), input: {} }),
      () => ({ type: 'tool_result', tool_use_id: `t${random.size(1, 100)}`, content: text(random, 20) }),
      () => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: text(random, 200) } }),
      () => ({ type: text(random, 20), text: 1 }),
    ])();
  const blocks = Array.from({ length: size }, block);
  const each = Math.ceil(size / random.size(1, size + 1));
  const messages = Array.from({ length: Math.ceil(size / each) }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: blocks.slice(index * each, (index + 1) * each),
  }));
  const tools = Array.from({ length: random.size(1, 300) - 1 }, (_, index) => ({
    name: random.coin ? `T${index}` : text(random, random.size(1, 300)),
    input_schema: { type: 'object', properties: { a: { type: text(random, 5) } } },
  }));
  const fields = {
    messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...(random.coin ? { system: blocks.slice(0, 10) } : {}),
    ...(random.coin ? { stop_sequences: [text(random, random.size(1, 5000))] } : {}),
    ...(random.coin ? { metadata: { user_id: text(random, random.size(1, 10_000)) } } : {}),
    ...(random.coin ? { [text(random, 10)]: 'x' } : {}),
  };
  const asked = question(`${prefix}hostile`, fields);
  const paths = ['/v1/messages', COUNT_TOKENS, '/v1/messages/test_conversion'] as const;
  return ofSpeech(speech, {
    name: named('spoken request', titled(speech), size, each, tools.length),
    questions: [
      asked,
      ...Array.from({ length: random.size(1, 5) }, (): Question => ({ ...asked, path: random.pick(paths) })),
      { ...wholeQuestion('hostile', fields), path: CHAT_COMPLETIONS },
    ],
  });
}
