import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  type NativeBehaviour,
  type NativeRequest,
  nativeError,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { type Behaviour, delta, inTurn, json, stream } from '../helpers/fakeUpstream.ts';
import { pngImage } from '../helpers/pngImage.ts';
import { callsOf, mediaOf, messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { reply, turn } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

const says = (status: number, message: string): Behaviour => json(status, { error: { message } });

/** A call whose arguments end in the middle, although the provider calls the answer whole. */
function cutCall(name: string, argumentsText: string, usage: Record<string, unknown> | undefined): Behaviour {
  const call = { index: 0, id: 'call_cut', type: 'function', function: { name, arguments: argumentsText } };
  const end = usage === undefined ? [] : [{ choices: [], usage }];
  return stream(delta({ role: 'assistant' }), delta({ tool_calls: [call] }), delta({}, 'tool_calls'), ...end);
}

test.each([
  // The limit is far away: the answer is asked for once more, and nothing of the half call becomes history.
  { what: 'far from the output limit', usage: { prompt_tokens: 10, completion_tokens: 20 }, calls: ['Read', 'Write'] },
  // The limit may have been reached: the model reads that its call could not be.
  { what: 'without saying its usage', usage: undefined, calls: ['Read', 'Write', 'Write'] },
])('R203 a file stays whole where the provider cuts a Write in its content, $what', async ({ usage, calls }) => {
  const folder = workFolder();
  const path = join(folder, 'whole.txt');
  const whole = 'first line\nsecond line\n';
  writeFileSync(path, whole);
  const after: string[] = [];
  const begin = JSON.stringify({ file_path: path, content: 'NEW first line\nHALF of the sec' }).slice(0, -2);
  const { url, upstream } = await setStage(
    inTurn(
      turn({ calls: [{ id: 'call_read', name: 'Read', input: { file_path: path } }] }),
      cutCall('Write', begin, usage),
      (response, request) => {
        after.push(readFileSync(path, 'utf8'));
        const input = { file_path: path, content: 'NEW first line\nNEW second line\n' };
        return turn({ calls: [{ id: 'call_write', name: 'Write', input }] })(response, request);
      },
      turn({ text: 'WRITTEN' }),
    ),
  );
  const run = await runClaude(url, 'Write the file anew.', { folder, allowedTools: 'Read,Write' });
  expect(run).toMatchObject({ exitCode: 0, text: 'WRITTEN' });
  expect(after).toEqual([whole]);
  expect(readFileSync(path, 'utf8')).toBe('NEW first line\nNEW second line\n');
  expect(upstream.requests).toHaveLength(4);
  const last = upstream.requests[3];
  expect(last && callsOf(last).map(({ name }) => name)).toEqual(calls);
  const refused = last ? resultsOf(last).filter((result) => result.startsWith('[tool error] ')) : [];
  expect(refused).toEqual(calls.slice(2).map(() => expect.stringContaining('could not be parsed')));
});

test.each([
  { status: 400, words: 'messages[3]: unknown variant `image_url`, expected `text` at line 1 column 90' },
  {
    status: 500,
    words: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
  },
])('R406 R413 claude goes on where its model refuses a picture with $status: $words', async ({ status, words }) => {
  const folder = workFolder();
  const picture = join(folder, 'p.png');
  writeFileSync(picture, pngImage());
  const { url, upstream } = await setStage(
    reply((request) => {
      if (mediaOf(request).length > 0) return says(status, words);
      const done = resultsOf(request).length;
      if (done === 0) return { calls: [{ id: 'call_read', name: 'Read', input: { file_path: picture } }] };
      const input = { command: 'echo further', description: 'go on' };
      return done === 1 ? { calls: [{ id: 'call_echo', name: 'Bash', input }] } : { text: 'BLIND BUT DONE' };
    }),
  );
  const run = await runClaude(url, 'Look at p.png.', { folder, allowedTools: 'Read,Bash(echo:*)' });
  expect(run).toMatchObject({ exitCode: 0, text: 'BLIND BUT DONE' });
  // The picture was sent once, and never again although it stays in the history of the client.
  expect(upstream.requests.map((request) => mediaOf(request).length)).toEqual([0, 1, 0, 0]);
  const last = upstream.requests[3];
  expect(last && resultsOf(last)[1]).toBe('further');
  expect(last && messagesOf(last).slice(2).map(textOf).join('\n')).toMatch(/image/i);
});

test.each([{ model: 'haiku' }, { model: 'sonnet' }])(
  'R402 another model serves where the provider does not know the one for $model',
  async ({ model }) => {
    const { url, upstream } = await setStage(
      reply((request) => {
        if (request.body.model === 'gone') return says(404, "model 'gone' not found");
        if (resultsOf(request).length > 0) return { text: 'SERVED BY ANOTHER' };
        return { calls: [{ name: 'Bash', input: { command: 'echo served', description: 'try' } }] };
      }),
      model === 'haiku' ? { SMALL_MODEL: 'gone' } : { MIDDLE_MODEL: 'gone' },
    );
    const run = await runClaude(url, 'Run it.', { allowedTools: 'Bash(echo:*)', arguments: ['--model', model] });
    expect(run).toMatchObject({ exitCode: 0, text: 'SERVED BY ANOTHER' });
    // Each request asks the lost model first, as it may come back.
    expect(upstream.requests.map(({ body }) => body.model)).toEqual(['gone', 'big', 'gone', 'big']);
    const last = upstream.requests.at(-1);
    expect(last && resultsOf(last)).toEqual([expect.stringMatching(/^served\b/)]);
  },
);

const TURNS = 3;

test.each(['ollama', 'custom'])(
  'R404 claude compacts by itself when Ollama (PROVIDER=%s) says that the conversation is too long',
  async (provider) => {
    let refusals = 0;
    const { url, upstream } = await setStage(
      reply((request) => {
        const texts = messagesOf(request).map(textOf);
        if (texts.some((text) => text.includes('COMPACT-MARK'))) return { text: 'FINISHED' };
        if (/<analysis>|detailed summary/i.test(texts.slice(-2).join('\n'))) {
          return { text: '<analysis>short</analysis>\n<summary>\nThe user wants numbers. COMPACT-MARK\n</summary>' };
        }
        if (resultsOf(request).length < TURNS) {
          return { calls: [{ name: 'Bash', input: { command: 'seq 1 2000', description: 'count' } }] };
        }
        refusals += 1;
        return says(400, 'prompt too long; exceeded max context length by 512 tokens');
      }),
      { PROVIDER: provider, BIG_MODEL: 'big', SMALL_MODEL: 'small' },
    );
    const run = await runClaude(url, 'Work through the list.', { allowedTools: 'Bash' });
    expect(run).toMatchObject({ exitCode: 0, text: 'FINISHED' });
    expect(refusals).toBe(1);
    expect(upstream.requests).toHaveLength(TURNS + 3);
    const [refused, , last] = upstream.requests.slice(-3);
    expect(last?.text).toContain('COMPACT-MARK');
    expect(last?.text.length).toBeLessThan(refused?.text.length ?? 0);
  },
);

/** An instance before a native endpoint that refuses what it does not know, and the provider's answer to all else. */
async function setNativeStage(unknown: string, words: string, behave: NativeBehaviour) {
  const server = await startAnthropicServer({
    '*': (response, request) =>
      (request.bytes.includes(unknown) ? nativeError(400, 'invalid_request_error', words) : behave)(response, request),
  });
  const proxy = await startBinary({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'native-big',
  });
  onTestFinished(async () => {
    await proxy.stop();
    await server.close();
  });
  return { url: proxy.url, server };
}

const nativeResultsOf = ({ body }: NativeRequest) =>
  body.messages
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .filter(({ type }) => type === 'tool_result');

/** The tools that the model may call at once. */
const offeredBy = ({ body }: NativeRequest) =>
  (body['tools'] as { name: string; defer_loading?: boolean }[])
    .filter((tool) => tool.defer_loading !== true)
    .map(({ name }) => name);

test.each(['Invalid request', 'tool_reference is not supported here'])(
  'claude calls a tool that it found by search where a native endpoint refuses the reference to it: %s',
  async (words) => {
    const { url, server } = await setNativeStage('"tool_reference"', words, (response, request) => {
      const done = nativeResultsOf(request).length;
      const search = { id: 'toolu_search', name: 'ToolSearch', input: { query: 'select:CronList' } };
      const list = { id: 'toolu_list', name: 'CronList', input: {} };
      if (done === 0) return nativeTurn({ calls: [search] })(response, request);
      if (done === 1) return nativeTurn({ calls: [list] })(response, request);
      return nativeTurn({ text: 'FOUND AND CALLED' })(response, request);
    });
    const run = await runClaude(url, 'List the scheduled jobs.', {
      allowedTools: 'ToolSearch,CronList',
      environment: { ENABLE_TOOL_SEARCH: 'true' },
    });
    expect(run).toMatchObject({ exitCode: 0, text: 'FOUND AND CALLED' });
    // Refused once, and said in text from then on; the tool that was found is offered like any other.
    expect(server.requests.map(({ bytes }) => bytes.includes('"tool_reference"'))).toEqual([false, true, false, false]);
    const [first, , again, last] = server.requests;
    expect(first && offeredBy(first)).not.toContain('CronList');
    expect(again && offeredBy(again)).toContain('CronList');
    expect(again?.bytes.toString()).toContain('Tool CronList is now available.');
    expect(last && JSON.stringify(nativeResultsOf(last)[1])).toContain('No scheduled jobs.');
  },
);

const OPEN = 'mcp__archive__open_archive';
const READ = 'mcp__archive__read_archive';

const tag =
  "messages.4.content.1: Input tag 'tool_addition' found using 'type' does not match any of the expected tags";
const variant = 'messages[4]: unknown variant `tool_addition`, expected `text`';

test.each([
  { way: 'by its definition', inline: '1', words: tag },
  { way: 'by its definition', inline: '1', words: variant },
  { way: 'by its name', inline: '0', words: tag },
  { way: 'by its name', inline: '0', words: variant },
  { way: 'by its definition', inline: '1', words: 'Invalid request' },
  { way: 'by its name', inline: '0', words: 'Invalid request' },
])(
  'claude calls a tool that came in the middle of the session where a native endpoint refuses its addition $way: $words',
  async ({ inline, words }) => {
    const folder = workFolder();
    const configuration = join(folder, 'mcp.json');
    const archive = { command: process.execPath, args: [join(import.meta.dirname, 'growingMcpServer.mjs')] };
    writeFileSync(configuration, JSON.stringify({ mcpServers: { archive } }));
    const { url, server } = await setNativeStage('"tool_addition"', words, (response, request) => {
      const done = nativeResultsOf(request).length;
      if (done === 0) return nativeTurn({ calls: [{ id: 'toolu_open', name: OPEN, input: {} }] })(response, request);
      if (done === 2) return nativeTurn({ text: 'ARCHIVE READ' })(response, request);
      if (!offeredBy(request).includes(READ)) return nativeTurn({ text: 'NOT OFFERED' })(response, request);
      return nativeTurn({ calls: [{ id: 'toolu_read', name: READ, input: {} }] })(response, request);
    });
    const run = await runClaude(url, 'Read the archive.', {
      folder,
      allowedTools: 'mcp__archive',
      // Only without the search does the client add such tools by itself.
      arguments: ['--mcp-config', configuration, '--strict-mcp-config', '--disallowedTools', 'ToolSearch'],
      environment: { ENABLE_TOOL_SEARCH: 'true', CLAUDE_CODE_INLINE_TOOLS: inline },
    });
    expect(run).toMatchObject({ exitCode: 0, text: 'ARCHIVE READ' });
    const added = server.requests.map(({ bytes }) => bytes.includes('"tool_addition"'));
    expect(added).toEqual([false, true, false, false]);
    const [, refused, , last] = server.requests;
    expect(refused?.bytes.includes('"tool_definition"')).toBe(inline === '1');
    expect(last && JSON.stringify(nativeResultsOf(last)[1])).toContain('read_archive has run');
  },
);
