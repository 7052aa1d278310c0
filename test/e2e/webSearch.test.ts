import { expect, test } from 'vitest';
import { resultsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
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
