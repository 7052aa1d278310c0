import { expect } from 'vitest';
import { findClaude, runClaude } from '../e2e/claudeClient.ts';
import { testWithContext } from './llamaServer.ts';

/** The real client in a tool loop with a real server: it calls, gets the results, and comes to its end. */

const test = testWithContext(65_536);

const loops = [
  { script: 'pair', calls: ['Read', 'Bash'], title: 'two calls in one answer' },
  { script: 'thinkcall', calls: ['Bash'], title: 'thinking, text and a call' },
];

test.for(loops)('claude comes to the end of $title', async ({ script, calls }, { stage, skip }) => {
  skip(findClaude() === undefined, 'the real client is not installed: npm run test:claude brings it');
  const run = await runClaude(stage.proxy.url, `#${script}`, { allowedTools: 'Bash,Read' });
  expect(run).toMatchObject({ exitCode: 0, text: 'The tool has answered, so this is the end of it.' });
  expect(run.blocks.filter(({ type }) => type === 'tool_use').map(({ name }) => name)).toEqual(calls);
  // The second request begins with the first one, which is most of it.
  expect(run.usage['cache_read_input_tokens']).toBeGreaterThan((run.usage['input_tokens'] ?? 0) / 2);
});
