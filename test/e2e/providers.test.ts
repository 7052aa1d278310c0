import { expect, onTestFinished, test } from 'vitest';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { gemini } from '../helpers/providers/gemini.ts';
import { glm } from '../helpers/providers/glm.ts';
import { kimi } from '../helpers/providers/kimi.ts';
import { minimax } from '../helpers/providers/minimax.ts';
import { startScriptedProvider } from '../helpers/providers/scriptedProvider.ts';
import { callsOf, messagesOf, resultsOf } from '../helpers/received.ts';
import { startBinary } from '../helpers/startBinary.ts';
import type { Turn } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

const THOUGHTS = ['I should run both commands.', 'I should look once more.'];
const COMMANDS = ['echo one', 'echo "two\nthree"', 'echo four'];

const bash = (command: string) => ({ name: 'Bash', input: { command, description: 'run it' } });

/** Two rounds of tools, the first with parallel calls, and then the answer. */
function model(request: ReceivedRequest): Turn {
  const results = resultsOf(request).length;
  if (results === 0) return { reasoning: THOUGHTS[0] ?? '', text: 'I run two.', calls: COMMANDS.slice(0, 2).map(bash) };
  if (results === 2) return { reasoning: THOUGHTS[1] ?? '', calls: COMMANDS.slice(2).map(bash) };
  return { reasoning: 'That is all.', text: 'LOOP DONE' };
}

/** What each provider gets back of the reasoning of an earlier turn. */
const REPLAYED: Record<string, (thought: string | undefined) => object> = {
  kimi: (thought) => ({ reasoning_content: thought }),
  glm: (thought) => ({ reasoning_content: thought }),
  minimax: (thought) => ({ reasoning_details: [{ type: 'reasoning.text', text: thought }] }),
  gemini: () => ({ tool_calls: expect.arrayContaining([expect.objectContaining(SIGNATURE)]) }),
};
const SIGNATURE = { extra_content: { google: { thought_signature: 'c2lnbmF0dXJl' } } };

test.each([kimi, glm, minimax, gemini])('claude finishes a tool loop with reasoning on $name', async (provider) => {
  const upstream = await startScriptedProvider(provider, model);
  const proxy = await startBinary({
    PROVIDER: provider.name,
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'key-of-the-provider',
  });
  onTestFinished(() => proxy.stop());
  const run = await runClaude(proxy.url, 'Run the commands.', { allowedTools: 'Bash' });
  expect(run).toMatchObject({ exitCode: 0, text: 'LOOP DONE' });
  const last = upstream.requests.findLast((request) => resultsOf(request).length > 0) as ReceivedRequest;
  expect(callsOf(last).map(({ input }) => input['command'])).toEqual(COMMANDS);
  const results = resultsOf(last);
  expect(results[0]).toContain('one');
  expect(results[1]).toContain('two\nthree');
  expect(results[2]).toContain('four');
  const turns = messagesOf(last).filter(({ role }) => role === 'assistant');
  expect(turns).toMatchObject(THOUGHTS.map((thought) => REPLAYED[provider.name]?.(thought)));
});
