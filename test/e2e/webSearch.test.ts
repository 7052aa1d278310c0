import { expect, onTestFinished, test } from 'vitest';
import { type Behaviour, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { pages, startSearchServer } from '../helpers/searchServer.ts';
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

test('R224 WebSearch brings a page that was found, and the answer cites it', async () => {
  const page = 'https://lighthouse.test/keeper';
  const search = await startSearchServer(
    pages([page, 'The keeper', 'The keeper of the lighthouse is called Ottilie.']),
  );
  onTestFinished(() => search.close());
  const { url, upstream } = await setStage(
    reply((request) => {
      // The request for the search, for which the proxy has already found the pages.
      if (messagesOf(request).some((one) => textOf(one).startsWith('Perform a web search for the query'))) {
        const name = /called (\w+)\./.exec(resultsOf(request)[0] ?? '')?.[1];
        return { text: `Her name is ${name} ([source](${page})).` };
      }
      const found = resultsOf(request)[0] ?? '';
      if (found === '') return { calls: [{ name: 'WebSearch', input: { query: 'keeper of the lighthouse' } }] };
      const [said] = /Her name is \w+ \(\[source\]\(\S+?\)\)\./.exec(found) ?? [];
      return { text: said ?? 'I found nothing.' };
    }),
    { WEB_SEARCH: 'searxng', SEARCH_URL: search.url },
  );
  const run = await runClaude(url, 'Who keeps the lighthouse?', {
    allowedTools: 'WebSearch',
    environment: { ENABLE_TOOL_SEARCH: 'false' },
  });
  expect(run).toMatchObject({ exitCode: 0, text: `Her name is Ottilie ([source](${page})).` });
  expect(search.searches.map(({ parameters }) => parameters.get('q'))).toEqual(['keeper of the lighthouse']);
  // The conversation, the search, the conversation: one request each.
  expect(upstream.requests).toHaveLength(3);
  const last = upstream.requests.at(-1);
  const result = last === undefined ? '' : (resultsOf(last)[0] ?? '');
  expect(result).toContain('Web search results for query: "keeper of the lighthouse"');
  expect(result).toContain(`Links: [{"title":"The keeper","url":"${page}"}]`);
});
