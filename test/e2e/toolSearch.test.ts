import { expect, test } from 'vitest';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf, textOf, toolsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

const namesOf = (request: ReceivedRequest | undefined) => (request ? toolsOf(request).map(({ name }) => name) : []);

/** The model searches for a tool that claude holds back, and calls it when it is there. */
async function searchAndCall(settings: Record<string, string>): Promise<readonly ReceivedRequest[]> {
  const { url, upstream } = await setStage(
    reply((request) => {
      const results = resultsOf(request);
      if (results.length === 0) return { calls: [{ name: 'ToolSearch', input: { query: 'select:CronList' } }] };
      if (results.length === 1) return { calls: [{ name: 'CronList', input: {} }] };
      return { text: 'CALLED' };
    }),
    settings,
  );
  const run = await runClaude(url, 'List the scheduled jobs.', { allowedTools: 'ToolSearch,CronList' });
  expect(run).toMatchObject({ exitCode: 0, text: 'CALLED' });
  expect(upstream.requests).toHaveLength(3);
  return upstream.requests;
}

test.each(['all', 'progressive'])(
  'R128 R136 a tool that claude finds by search can be called (defer %s)',
  async (defer) => {
    const [first, second, third] = await searchAndCall({ QUIRK_DEFER: defer });
    expect(first && textOf(messagesOf(first)[1])).toContain('CronList');
    expect(namesOf(first)).toContain('ToolSearch');
    expect(namesOf(first)).not.toContain('CronList');
    expect(second && resultsOf(second)[0]).toMatch(/^Tool CronList is now available\./);
    // Behind the others, so that these keep their place in the provider's prompt cache.
    expect(namesOf(second)).toEqual([...namesOf(first), 'CronList']);
    expect(third && resultsOf(third)[1]).toBe('No scheduled jobs.');
  },
);
