import { type Order, orderText } from '../upstream/order.ts';
import { sourceCode, words } from './prose.ts';
import { createRandom, type Random } from './random.ts';
import { SERIAL_MARK } from './serialMark.ts';
import { createTools } from './toolDefinitions.ts';

export interface ConversationShape {
  /** Most rounds of one tool call and its result that will be asked for. */
  readonly rounds: number;
  /** Bytes of source code in each result. */
  readonly resultBytes: number;
  readonly order: Order;
  /** Pictures in the first results, one in every second; none without it. */
  readonly pictures?: { readonly count: number; readonly bytes: number };
}

/** A conversation that has got as far as one wants it to. */
export interface Conversation {
  /** The JSON body of the request after so many rounds; turn N+1 begins as turn N does, but for the mark of the cache. */
  bodyAt(rounds: number): string;
  /** The body that asks how many tokens the same would be. */
  countBodyAt(rounds: number): string;
}

const TOOLS = 40;
const CACHED = { cache_control: { type: 'ephemeral' } };

/** A picture of so many random bytes, as a screenshot hardly repeats itself. */
function createPicture(random: Random, bytes: number): object {
  const data = Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256))).toString('base64');
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
}

/** Requests as Claude Code sends them: its order of keys, all turns each time, the mark of the cache on the last block only. */
export function createConversation({ rounds, resultBytes, order, pictures }: ConversationShape): Conversation {
  const random = createRandom(7);
  const tools = createTools(random, TOOLS);
  const first = JSON.stringify({
    role: 'user',
    content: [
      { type: 'text', text: `<system-reminder>\n${words(random, 250)}\n</system-reminder>` },
      { type: 'text', text: `Session ${SERIAL_MARK}: ${words(random, 50)} ${orderText(order)}` },
    ],
  });
  const turns = Array.from({ length: rounds }, (_, index) => {
    const id = `toolu_bench${String(index).padStart(19, '0')}`;
    const name = tools[index % TOOLS]?.name;
    const input = {
      command: `grep -rn "${words(random, 1)}" src/`,
      description: words(random, 6),
      options: { limit: index },
    };
    const text = sourceCode(random, resultBytes);
    const shows = pictures !== undefined && index % 2 === 0 && index / 2 < pictures.count;
    const result = {
      type: 'tool_result',
      tool_use_id: id,
      content: shows
        ? [{ type: 'text', text }, createPicture(random, pictures.bytes)]
        : index % 3 === 0
          ? [{ type: 'text', text }]
          : text,
      ...(index % 10 === 9 && { is_error: true }),
    };
    const call = [
      { type: 'text', text: words(random, 15) },
      { type: 'tool_use', id, name, input },
    ];
    return {
      call: JSON.stringify({ role: 'assistant', content: call }),
      result: JSON.stringify({ role: 'user', content: [result] }),
      lastResult: JSON.stringify({ role: 'user', content: [{ ...result, ...CACHED }] }),
    };
  });
  const system = [
    { type: 'text', text: "You are Claude Code, Anthropic's official CLI for Claude.", ...CACHED },
    { type: 'text', text: words(random, 1500), ...CACHED },
  ];
  const session = { device_id: '0'.repeat(64), session_id: '00000000-0000-4000-8000-000000000000' };
  const metadata = { user_id: JSON.stringify(session) };
  const render = (count: number, rest: object) => {
    const messages = turns
      .slice(0, count)
      .flatMap(({ call, result, lastResult }, index) => [call, index === count - 1 ? lastResult : result]);
    return `{"model":"claude-sonnet-5","messages":[${[first, ...messages].join(',')}],${JSON.stringify(rest).slice(1)}`;
  };
  return {
    bodyAt: (count) => render(count, { system, tools, metadata, max_tokens: 32_000, stream: true }),
    countBodyAt: (count) => render(count, { system, tools }),
  };
}
