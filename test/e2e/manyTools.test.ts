import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Behaviour, json, type ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { manyTools } from '../helpers/manyTools.ts';
import { startPickyUpstream } from '../helpers/pickyUpstream.ts';
import { resultsOf, toolsOf } from '../helpers/received.ts';
import { call } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { reply, type Turn } from '../helpers/turn.ts';
import { type ClaudeRun, runClaude, workFolder } from './claudeClient.ts';

const REFUND = 'mcp__office__create_refund';
const CALLED = 'create_refund has run for 77';
const LIMIT = 128;

const namesOf = (request: ReceivedRequest | undefined) => (request ? toolsOf(request).map(({ name }) => name) : []);
const searches = (request: ReceivedRequest) => namesOf(request).includes('ToolSearch');
const says = (message: string): Behaviour => json(400, { error: { message } });

interface Session {
  readonly run: ClaudeRun;
  readonly requests: readonly ReceivedRequest[];
  /** What the instance has written, and its report of itself. */
  readonly output: string;
  readonly tools: unknown;
}

/** Claude Code with 300 tools of a tool server before an instance whose provider takes 128, and a model that plays by the requests. */
async function play(model: (request: ReceivedRequest) => Turn | Behaviour, search: string): Promise<Session> {
  const folder = workFolder();
  const list = manyTools.map(({ name, description, input_schema: inputSchema }) => {
    return { name: name.split('__').at(-1), description, inputSchema };
  });
  // Names that several of the servers have stand there once.
  const tools = [...new Map(list.map((tool) => [tool.name, tool])).values()];
  writeFileSync(join(folder, 'tools.json'), JSON.stringify(tools));
  const server = {
    command: process.execPath,
    args: [join(import.meta.dirname, 'toolServer.mjs'), join(folder, 'tools.json')],
  };
  writeFileSync(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { office: server } }));
  const upstream = await startPickyUpstream(reply(model));
  const proxy = await startBinary({
    PROVIDER: 'groq',
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'big',
    SMALL_MODEL: 'small',
  });
  onTestFinished(() => proxy.stop());
  const run = await runClaude(proxy.url, 'Give customer 77 a refund.', {
    folder,
    allowedTools: 'ToolSearch,mcp__office',
    arguments: ['--mcp-config', join(folder, 'mcp.json'), '--strict-mcp-config'],
    environment: { ENABLE_TOOL_SEARCH: search },
  });
  const { text } = await call(`${proxy.url}/health`);
  return { run, requests: upstream.requests, output: proxy.output(), tools: JSON.parse(text).tools };
}

const occurrences = (text: string, words: string) => text.split(words).length - 1;

test('R136 of 300 tools the one that the user means is offered and called, and the tools stay the same', async () => {
  const { run, requests, output, tools } = await play((request) => {
    if (resultsOf(request).length > 0) return { text: 'REFUNDED' };
    return { calls: [{ name: REFUND, input: { id: '77' } }] };
  }, 'false');
  expect(run).toMatchObject({ exitCode: 0, text: 'REFUNDED' });
  expect(requests).toHaveLength(2);
  const [first, second] = requests;
  expect(namesOf(first)).toHaveLength(LIMIT);
  expect(namesOf(first)).toEqual(expect.arrayContaining(['Agent', 'Bash', 'Read', 'Write', REFUND]));
  expect(second && resultsOf(second)).toEqual([CALLED]);
  expect(JSON.stringify(second?.body['tools'])).toBe(JSON.stringify(first?.body['tools']));
  // Once, although each of the two requests is too large.
  expect(occurrences(output, 'better let Claude Code search for its tools')).toBe(1);
  expect(tools).toMatchObject({ limited_sessions: 1, left_out: expect.any(Number), search_lost_sessions: 0 });
});

const search: Turn = { calls: [{ id: 'call_search', name: 'ToolSearch', input: { query: `select:${REFUND}` } }] };
const refund: Turn = { calls: [{ id: 'call_refund', name: REFUND, input: { id: '77' } }] };

test('R136 with the client’s own search for tools nothing is left out of 300', async () => {
  const { run, requests, tools } = await play((request) => {
    const done = resultsOf(request).length;
    return done === 0 ? search : done === 1 ? refund : { text: 'FOUND AND REFUNDED' };
  }, 'true');
  expect(run).toMatchObject({ exitCode: 0, text: 'FOUND AND REFUNDED' });
  expect(requests).toHaveLength(3);
  for (const request of requests) expect(namesOf(request).length).toBeLessThan(20);
  expect(namesOf(requests[1])).toEqual([...namesOf(requests[0]), REFUND]);
  expect(requests[2] && resultsOf(requests[2])[1]).toBe(CALLED);
  expect(tools).toMatchObject({ limited_sessions: 0, search_lost_sessions: 0 });
});

test('a session that loses the search for tools after refusals goes on, and is reported', async () => {
  const words = 'something of this request is not to our liking';
  const { run, requests, output, tools } = await play((request) => {
    const done = resultsOf(request).length;
    if (done === 0) return search;
    if (searches(request)) return says(words);
    return done === 1 ? refund : { text: 'REFUNDED WITHOUT SEARCH' };
  }, 'true');
  expect(run).toMatchObject({ exitCode: 0, text: 'REFUNDED WITHOUT SEARCH' });
  expect(requests.map(searches).lastIndexOf(true)).toBeGreaterThan(1);
  expect(searches(requests.at(-1) as ReceivedRequest)).toBe(false);
  expect(namesOf(requests.at(-1))).toHaveLength(LIMIT);
  expect(namesOf(requests.at(-1))).toContain(REFUND);
  expect(occurrences(output, 'Claude Code has given up its search for tools')).toBe(1);
  expect(tools).toMatchObject({
    limited_sessions: 1,
    search_lost_sessions: 1,
    search_lost_reason: expect.stringContaining(words),
  });
});

test('R415 a content filter is asked once, and does not cost the session its search for tools', async () => {
  let refusals = 0;
  const { run, requests, tools } = await play((request) => {
    if (resultsOf(request).length === 0) return search;
    refusals += 1;
    return says('Content Exists Risk');
  }, 'true');
  expect(run.exitCode).toBe(1);
  expect(run.text).toContain('Content Exists Risk');
  expect(refusals).toBe(1);
  expect(requests.every(searches)).toBe(true);
  expect(tools).toMatchObject({ search_lost_sessions: 0 });
});
