import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/core/json.ts';
import { presets } from '../../src/providers/index.ts';
import { type NativeRequest, nativeTurn } from '../helpers/anthropicServer.ts';
import {
  type Behaviour,
  type FakeUpstream,
  json,
  type ReceivedRequest,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { foldEvents } from '../helpers/fold.ts';
import { refusalsOf, type Vendor, vendors } from '../helpers/providers/vendors.ts';
import { callItem, outputsOf, reasoned, responseTurn, textItem } from '../helpers/responsesTurn.ts';
import { call, startApp, type TestApp } from '../helpers/startApp.ts';
import { turn } from '../helpers/turn.ts';

/** Names of the client, by the tier that serves them. */
const TIERS = { big: 'claude-opus-5', middle: 'claude-sonnet-5', small: 'claude-haiku-4-5' };

/** As Claude Code sends them, beside tools of servers whose schemas are less careful. */
const TOOLS = [
  {
    name: 'Bash',
    description: 'Runs a command.',
    input_schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { command: { type: 'string' }, timeout: { type: 'number' } },
      required: ['command'],
      additionalProperties: false,
    },
  },
  {
    name: 'mcp__files__find',
    description: 'Finds files.',
    input_schema: { type: 'object', properties: { name: { type: 'string', pattern: '^\\p{L}+$' } } },
  },
];
/** Enough for any limit of a vendor. */
const MANY_TOOLS = Array.from({ length: 140 }, (_, index) => ({ ...TOOLS[0], name: `mcp__many__${index}` }));

const FIELDS = {
  max_tokens: 32_000,
  system: [{ type: 'text', text: 'You are brief.', cache_control: { type: 'ephemeral' } }],
  metadata: { user_id: '{"session_id":"a-session"}' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  stream: true,
};
const ON = { thinking: { type: 'adaptive', display: 'updates' }, output_config: { effort: 'max' } };
const OFF = { thinking: { type: 'disabled' }, output_config: { effort: 'high' }, temperature: 1 };

const INPUT = { command: 'echo ready' };

/** A model that thinks and calls a tool, and with the result has an answer. */
function modelOf({ api, callExtra = {} }: Vendor): Behaviour {
  return (response, request) => {
    if (api === 'responses') {
      const output =
        outputsOf(request).length === 0
          ? reasoned(['I look.'], callItem({ id: 'call_1', name: 'Bash', input: INPUT }))
          : reasoned(['Good.'], textItem('DONE'));
      return responseTurn(output)(response, request);
    }
    const isFirst = !/tool_result|"role":"tool"/.test(request.text);
    if (api === 'messages') {
      const calls = [{ id: 'toolu_1', name: 'Bash', input: INPUT }];
      const first = { thinking: 'I look.', signature: 'c2ln', calls };
      return nativeTurn(isFirst ? first : { text: 'DONE' })(response, request as unknown as NativeRequest);
    }
    const calls = [{ id: 'call_1', name: 'Bash', input: INPUT, extra: callExtra }];
    return turn(isFirst ? { reasoning: 'I look.', calls } : { reasoning: 'Good.', text: 'DONE' })(response, request);
  };
}

/** The vendor, which keeps what it had to refuse. */
async function open(vendor: Vendor) {
  const refused: string[] = [];
  const behave = modelOf(vendor);
  const upstream = await startFakeUpstream({
    '*': (response, request: ReceivedRequest) => {
      const words = refusalsOf(vendor, request.path, request.body);
      refused.push(...words);
      const refusal = { error: { message: words.join('; '), type: 'invalid_request_error', param: null, code: null } };
      return (words.length > 0 ? json(400, refusal) : behave)(response, request);
    },
  });
  return { upstream, refused };
}

test('every preset of a vendor has its rules here', () => {
  const known = new Set(vendors.map(({ preset }) => preset));
  const missing = presets.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  expect(missing).toEqual(['demo', 'custom', 'custom-anthropic']);
});

const title = ({ preset, settings }: Vendor) =>
  `${preset}${settings?.['PROTOCOL'] === undefined ? '' : ', PROTOCOL=chat'}`;

describe.each(vendors.map((vendor) => ({ vendor, name: title(vendor) })))('R689 $name', ({ vendor }) => {
  let upstream: FakeUpstream;
  let refused: string[];
  let app: TestApp;

  beforeAll(async () => {
    ({ upstream, refused } = await open(vendor));
    const url = vendor.api === 'messages' ? upstream.url.replace(/\/v1$/, '') : upstream.url;
    app = await startApp({ PROVIDER: vendor.preset, OPENAI_BASE_URL: url, ...vendor.settings });
  });
  afterEach(() => {
    refused.length = 0;
  });
  afterAll(async () => {
    await app.close();
    await upstream.close();
  });

  async function ask(fields: JsonObject): Promise<JsonObject> {
    const body = JSON.stringify({ ...FIELDS, tools: [...TOOLS, ...MANY_TOOLS], ...fields });
    const headers = { 'content-type': 'application/json' };
    const { text } = await call(`${app.url}/v1/messages`, { method: 'POST', headers, body });
    expect(refused).toEqual([]);
    return foldEvents(text);
  }

  const off = vendor.off ?? OFF;
  test.each(
    Object.entries(TIERS).flatMap(([tier, model]) => [
      { tier, model, thinking: 'on', wish: ON },
      { tier, model, thinking: 'off', wish: off },
    ]),
  )('tools on the $tier tier with thinking $thinking', async ({ model, wish }) => {
    const user = { role: 'user', content: [{ type: 'text', text: 'Is it ready?' }] };
    const first = await ask({ model, messages: [user], ...wish });
    expect(first['stop_reason']).toBe('tool_use');
    const content = Array.isArray(first['content']) ? first['content'].filter(isObject) : [];
    const { id = '', name, input } = content.find(({ type }) => type === 'tool_use') ?? {};
    expect([name, input]).toEqual(['Bash', INPUT]);
    const result = { type: 'tool_result', tool_use_id: id, content: 'ready' };
    const reminder = { type: 'text', text: '<system-reminder>Be brief.</system-reminder>' };
    for (const after of [[], [reminder]]) {
      const messages = [user, { role: 'assistant', content }, { role: 'user', content: [result, ...after] }];
      const second = await ask({ model, messages, ...wish });
      expect(second).toMatchObject({ stop_reason: 'end_turn' });
      expect(JSON.stringify(second['content'])).toContain('DONE');
    }
    const carriesReasoning = upstream.requests.at(-1)?.text.includes('"encrypted_content":');
    expect(carriesReasoning).toBe(vendor.api === 'responses');
  });
});
