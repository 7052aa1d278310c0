import { expect, onTestFinished, test } from 'vitest';
import { type Behaviour, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { resultsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

test('R150 the model reads that nobody can search the web, in place of an invented answer', async () => {
  const { url, upstream } = await setStage(
    reply((request) =>
      resultsOf(request).length > 0
        ? { text: 'I could not search.' }
        : { calls: [{ name: 'WebSearch', input: { query: 'weather in Kraków' } }] },
    ),
  );
  const run = await runClaude(url, 'How is the weather?', {
    allowedTools: 'WebSearch',
    environment: { ENABLE_TOOL_SEARCH: 'false' },
  });
  expect(run).toMatchObject({ exitCode: 0, text: 'I could not search.' });
  // The search itself never reaches the provider, which would make something up.
  expect(upstream.requests).toHaveLength(2);
  const [, second] = upstream.requests;
  expect(second && resultsOf(second)[0]).toContain('Web search results for query: "weather in Kraków"');
  expect(second && resultsOf(second)[0]).toContain('Web search error: unavailable');
});

test('R647 the model reads what the provider has found, with the names of the pages', async () => {
  const url = 'https://weather.test/krakow';
  const search = {
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: 'weather in Kraków', sources: [{ type: 'url', url }] },
  };
  const annotations = [{ type: 'url_citation', url, title: 'Weather in Kraków', start_index: 0, end_index: 5 }];
  const says = (text: string, cited: readonly object[] = []) => ({
    type: 'message',
    content: [{ type: 'output_text', text, annotations: cited }],
  });
  const call = { type: 'function_call', call_id: 'c1', name: 'WebSearch', arguments: '{"query":"weather in Kraków"}' };
  const answer = (...output: readonly object[]) =>
    json(200, { object: 'response', status: 'completed', output, usage: { input_tokens: 9, output_tokens: 3 } });
  const behaviour: Behaviour = (response, request) => {
    const { tools = [], input = [] } = request.body as Record<string, { type?: string }[]>;
    const isSearch = tools.some(({ type }) => type === 'web_search');
    const isOver = input.some(({ type }) => type === 'function_call_output');
    const chosen = isSearch
      ? answer(search, says('Sunny.', annotations))
      : isOver
        ? answer(says('SUNNY'))
        : answer(call);
    chosen(response, request);
  };
  const upstream = await startFakeUpstream({ '*': behaviour });
  const proxy = await startBinary({
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'big',
    PROTOCOL: 'responses',
    QUIRK_WEB_SEARCH: 'provider',
  });
  onTestFinished(async () => {
    await proxy.stop();
    await upstream.close();
  });
  const run = await runClaude(proxy.url, 'How is the weather?', {
    allowedTools: 'WebSearch',
    environment: { ENABLE_TOOL_SEARCH: 'false' },
  });
  expect(run).toMatchObject({ exitCode: 0, text: 'SUNNY' });
  const items = upstream.requests.at(-1)?.body['input'] as { type?: string; output?: string }[];
  const output = items.find(({ type }) => type === 'function_call_output')?.output;
  expect(output).toContain('Web search results for query: "weather in Kraków"');
  expect(output).toContain(`{"title":"Weather in Kraków","url":"${url}"}`);
  expect(output).toContain('Sunny.');
});
