import { expect, test } from 'vitest';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import type { Settings } from '../helpers/startApp.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

const THOUGHT = 'THOUGHT: I should run the command.';
const SIGNATURE = { google: { thought_signature: 'c2lnbmF0dXJl' } };

/** The assistant message that comes back to the provider after a turn with thinking, words and a call. */
async function replayed(settings: Settings): Promise<Readonly<Record<string, unknown>> | undefined> {
  const input = { command: 'echo ok', description: 'run it' };
  const { url, upstream } = await setStage(
    reply((request) =>
      resultsOf(request).length > 0
        ? { reasoning: 'Done.', text: 'REASONED ANSWER' }
        : {
            reasoning: THOUGHT,
            text: 'Visible words.',
            calls: [{ name: 'Bash', input, extra: { extra_content: SIGNATURE } }],
          },
    ),
    settings,
  );
  const run = await runClaude(url, 'Think, then run it.', { allowedTools: 'Bash' });
  expect(run).toMatchObject({ exitCode: 0, text: 'REASONED ANSWER' });
  expect(run.blocks).toContainEqual(expect.objectContaining({ type: 'thinking', thinking: THOUGHT }));
  const second = upstream.requests[1] as ReceivedRequest;
  return messagesOf(second).find(({ role }) => role === 'assistant');
}

test.each(['kimi', 'glm'])('R133 %s gets the reasoning of the earlier turn back', async (provider) => {
  expect(await replayed({ PROVIDER: provider })).toMatchObject({
    content: 'Visible words.',
    reasoning_content: THOUGHT,
  });
});

test('R133 minimax gets the reasoning back as details', async () => {
  const message = await replayed({ PROVIDER: 'minimax' });
  expect(message).toMatchObject({ content: 'Visible words.', reasoning_details: [{ text: THOUGHT }] });
});

test('R133 a provider that wants it gets the reasoning as a tag before the text', async () => {
  const message = await replayed({ QUIRK_REASONING_REPLAY: 'think_tag' });
  expect(message?.['content']).toMatch(/^<think>\s*THOUGHT: I should run the command\.\s*<\/think>\s*Visible words\.$/);
});

test('R133 a provider that takes none gets no reasoning back', async () => {
  expect(JSON.stringify(await replayed({}))).not.toContain('THOUGHT');
});

test('R135 gemini gets the signature of its call back', async () => {
  const message = await replayed({ PROVIDER: 'gemini' });
  expect(message?.['tool_calls']).toMatchObject([{ extra_content: SIGNATURE }]);
  expect(JSON.stringify(message)).not.toContain('THOUGHT');
});
