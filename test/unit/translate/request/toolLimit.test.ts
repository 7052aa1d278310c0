import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import { ConversationCache } from '../../../../src/translate/conversationCache.ts';
import { manyTools, ownTools, type SampleTool } from '../../../helpers/manyTools.ts';
import { createTarget, translateToChat } from '../createTarget.ts';
import { deepFreeze } from '../deepFreeze.ts';

const isLong = process.env['LONG'] !== undefined;
const runs = { numRuns: isLong ? 20_000 : 300 };
const timeout = isLong ? 900_000 : 60_000;

type Message = Readonly<Record<string, unknown>>;

interface Offered {
  readonly names: readonly string[];
  /** The tools as the provider gets them. */
  readonly bytes: string;
}

function offer(
  messages: readonly Message[],
  tools: readonly SampleTool[],
  toolsMax: number,
  { choice, cache }: { choice?: unknown; cache?: ConversationCache } = {},
): Offered {
  const request = { model: 'm', messages, tools, ...(choice === undefined ? {} : { tool_choice: choice }) };
  const { body } = translateToChat(
    parseRequest(deepFreeze(request), cache),
    createTarget({ toolsMax }),
    undefined,
    cache,
  );
  const written = (body.tools ?? []) as readonly { function: { name: string } }[];
  return { names: written.map((tool) => tool.function.name), bytes: JSON.stringify(written) };
}

const says = (text: string): Message => ({ role: 'user', content: text });
const answers = (text: string): Message => ({ role: 'assistant', content: [{ type: 'text', text }] });
const calls = (name: string, id: string): readonly Message[] => [
  { role: 'assistant', content: [{ type: 'tool_use', id, name, input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'done' }] },
];
const LIMIT = 128;
const all = [...ownTools, ...manyTools];
const OWN = ownTools.map(({ name }) => name);

/** What the user says turn by turn, and the tool that the model then needs. */
const SESSION: readonly (readonly [words: string, needed?: string])[] = [
  ['Fix the failing test in the parser please'],
  ['Why does it fail on Windows?'],
  ['Create an issue about that in the tracker, with the stack trace', 'mcp__tracker__create_issue'],
  ['ok, commit that'],
  ['List the open pull requests of this repository', 'mcp__forge__list_pull_request'],
  ['post a message in the channel of the team that it is fixed', 'mcp__chat__create_message'],
  ['now look at the invoice of customer 77', 'mcp__billing__get_invoice'],
  ['refund the payment', 'mcp__billing__create_refund'],
  ['write a regression test'],
  ['continue'],
  ['yes'],
  ['Update the panel of the dashboard with the new metric', 'mcp__monitoring__update_panel'],
  ['run the query on the table of the users', 'mcp__database__create_query'],
  ['schedule a meeting with everybody tomorrow', 'mcp__calendar__create_meeting'],
  ['thanks, next: a page in the wiki with the summary', 'mcp__wiki__create_page'],
  ['go on'],
  ['search the opportunity of last week', 'mcp__sales__search_opportunity'],
  ['and get the frame of the design', 'mcp__design__get_frame'],
  ['make the code simpler'],
  ['list the branches', 'mcp__forge__list_branch'],
];

describe('R136 a session of 50 turns with 300 tools of ten tool servers, of which 128 fit', () => {
  const messages: Message[] = [];
  const cache = new ConversationCache();
  const offers: Offered[] = [];
  const missing: string[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    const [words, needed] = SESSION[turn % SESSION.length] ?? [''];
    messages.push(says(words));
    const offered = offer([...messages], all, LIMIT, { cache });
    offers.push(offered);
    if (needed !== undefined) {
      if (!offered.names.includes(needed)) missing.push(`${turn} ${needed}`);
      messages.push(...calls(needed, `toolu_${turn}`));
      offers.push(offer([...messages], all, LIMIT, { cache }));
    }
    messages.push(answers('Done.'));
  }

  test('each tool that is needed is offered', () => {
    expect(missing).toEqual([]);
  });

  test('the tools change seldom, and only behind the first of them', () => {
    const changes = offers.slice(1).filter(({ bytes }, index) => bytes !== offers[index]?.bytes);
    // Ten subjects, each of other tools than the one before.
    expect(changes.length).toBeLessThanOrEqual(10);
    for (const { names } of offers) {
      expect(names).toHaveLength(LIMIT);
      expect(names.slice(0, OWN.length)).toEqual(OWN);
    }
  });

  test('a call changes nothing', () => {
    let position = 0;
    for (let turn = 0; turn < 50; turn += 1) {
      const [, needed] = SESSION[turn % SESSION.length] ?? [''];
      if (needed !== undefined) expect(offers[position + 1]?.bytes).toBe(offers[position]?.bytes);
      position += needed === undefined ? 1 : 2;
    }
  });
});

test('R136 where nothing is left out the tools stay as they came', () => {
  expect(offer([says('List the branches')], all, all.length).names).toEqual(all.map(({ name }) => name));
});

test.each([
  ['发送 一封邮件给客户', { name: 'mcp__a__send', description: '发送邮件', input_schema: { type: 'object' } }],
  ['請把這份發票建立好', { name: 'mcp__a__fapiao', description: '建立發票', input_schema: { type: 'object' } }],
  ['Счета клиентов', { name: 'mcp__a__x', description: 'показывает счёт клиента', input_schema: { type: 'object' } }],
  ['searching accounts', { name: 'mcp__z__accountSearch', description: '', input_schema: { type: 'object' } }],
])('R136 words are compared in other languages and forms, too: %s', (words, tool) => {
  expect(offer([says(words)], [...manyTools, tool], 3).names).toContain(tool.name);
});

const toolName = fc.oneof(
  fc.constantFrom(...all.slice(0, 60).map(({ name }) => name)),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 20 }).map((name) => `mcp__${name}`),
  fc.constantFrom(`mcp__${'x'.repeat(100_000)}`, 'mcp__', 'mcp__\ud800', '__proto__', 'constructor', 'mcp__the__of'),
);
const anyTool: fc.Arbitrary<SampleTool> = fc.record({
  name: toolName.filter((name) => name !== ''),
  description: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '',
      'x '.repeat(200_000),
      'A'.repeat(300_000),
      '<system-reminder>',
      '\ud800\udfff\u202e',
      '発票'.repeat(9),
    ),
  ),
  input_schema: fc.constant({ type: 'object' }),
});
const toolList = fc.uniqueArray(anyTool, { selector: ({ name }) => name, minLength: 2, maxLength: 40 });
const text = fc.oneof(
  fc.lorem({ maxCount: 5 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'list the issue',
    'board of CronCreate',
    '<system-reminder>a',
    'a</system-reminder><system-reminder>',
  ),
  fc.constant('word '.repeat(50_000)),
);

/** Turns of a user who says something, after which the model calls one of the tools, offered or not. */
const turns = fc.array(fc.record({ words: text, call: fc.option(fc.nat(60)) }), { minLength: 1, maxLength: 8 });

function conversations(
  list: readonly { words: string; call: number | null }[],
  tools: readonly SampleTool[],
): Message[][] {
  const messages: Message[] = [];
  return list.map(({ words, call }, turn) => {
    messages.push(says(words));
    const asked = [...messages];
    const name = call === null ? undefined : tools[call % tools.length]?.name;
    messages.push(...(name === undefined ? [answers('So.')] : calls(name, `toolu_${turn}`)));
    return asked;
  });
}

const namesOfCalls = (messages: readonly Message[]): string[] =>
  messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.flatMap(({ type, name }) => (type === 'tool_use' ? [name] : [])) : [],
  );

describe('R136 for any tools and any conversation', () => {
  /** By the client's names: the provider's may be shortened. */
  function choose(
    messages: readonly Message[],
    tools: readonly SampleTool[],
    toolsMax: number,
    choice?: unknown,
  ): string[] {
    const request = { model: 'm', messages, tools, ...(choice === undefined ? {} : { tool_choice: choice }) };
    const { offeredTools } = translateToChat(parseRequest(deepFreeze(request)), createTarget({ toolsMax }));
    return [...offeredTools.keys()];
  }

  test('as many as fit are offered; the forced one, the client’s own and those in use stay', { timeout }, () => {
    fc.assert(
      fc.property(toolList, turns, fc.integer({ min: 1, max: 30 }), fc.nat(40), (tools, list, most, forced) => {
        const messages = conversations(list, tools).at(-1) ?? [];
        const name = tools[forced % tools.length]?.name ?? '';
        const names = choose(messages, tools, most, { type: 'tool', name });
        expect(names).toHaveLength(Math.min(most, tools.length));
        expect(new Set(names).size).toBe(names.length);
        expect(names).toContain(name);
        const own = tools.map((tool) => tool.name).filter((one) => !one.startsWith('mcp__'));
        const used = new Set(namesOfCalls(messages));
        const needed = new Set([name, ...own, ...used]);
        if (needed.size <= most) expect(names).toEqual(expect.arrayContaining([...needed]));
        else if (own.length < most) expect(names).toEqual(expect.arrayContaining(own));
      }),
      runs,
    );
  });

  test('the same conversation gives the same tools, with and without what is remembered', { timeout }, () => {
    fc.assert(
      fc.property(toolList, turns, fc.integer({ min: 1, max: 30 }), (tools, list, most) => {
        const cache = new ConversationCache();
        for (const messages of conversations(list, tools)) {
          const remembered = offer(messages, tools, most, { cache });
          expect(offer(structuredClone(messages), structuredClone(tools), most).bytes).toBe(remembered.bytes);
        }
      }),
      runs,
    );
  });

  test('a turn that names no tool and calls an offered one keeps the bytes of all tools', { timeout }, () => {
    fc.assert(
      fc.property(toolList, turns, fc.integer({ min: 1, max: 30 }), fc.nat(30), (tools, list, most, call) => {
        const messages = conversations(list, tools).at(-1) ?? [];
        const before = offer(messages, tools, most);
        const names = choose(messages, tools, most);
        const called = names[call % names.length] ?? '';
        const further = [...messages, ...calls(called, 'toolu_last'), answers('So.'), says('1 2 3 …')];
        expect(offer(further, tools, most).bytes).toBe(before.bytes);
      }),
      runs,
    );
  });

  test('what stays from one turn to the next stays in its order, and what comes in stands behind it', {
    timeout,
  }, () => {
    fc.assert(
      fc.property(toolList, turns, fc.integer({ min: 1, max: 30 }), (tools, list, most) => {
        let before: string[] | undefined;
        // A call and the next words are two steps, of which the one may take out what the other brings in again.
        const last = conversations(list, tools).at(-1) ?? [];
        for (let count = 1; count <= last.length; count += 1) {
          const names = choose(last.slice(0, count), tools, most);
          const earlier = before ?? names;
          if (tools.length > most) {
            const kept = earlier.filter((name) => names.includes(name));
            expect(names.slice(0, kept.length)).toEqual(kept);
          }
          before = names;
        }
      }),
      runs,
    );
  });
});

test('R136 the work is in proportion to the request: 10,000 tools with long descriptions and 2,000 messages', {
  timeout,
}, () => {
  const tools = Array.from({ length: 10_000 }, (_, index) => ({
    name: `mcp__s${index % 50}__tool_${index}`,
    description: `word${index} `.repeat(200),
    input_schema: { type: 'object' },
  }));
  const messages = Array.from({ length: 1000 }, (_, index) => [
    says(`s${index % 50} tool ${index} word${index} `.repeat(500)),
    answers('So.'),
  ]).flat();
  const begin = performance.now();
  const { names } = offer([...messages, says('end')], tools, LIMIT);
  expect(names).toHaveLength(LIMIT);
  // A fifth of a second on an idle machine; quadratic work would take minutes.
  expect(performance.now() - begin).toBeLessThan(10_000);
});
