import { expect, test } from 'vitest';
import { delta, stream } from '../helpers/fakeUpstream.ts';
import { setStage } from '../helpers/stage.ts';
import { turn } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

test('claude gets an answer with its tokens', async () => {
  const text = 'Hello — ünïcode 你好 🚀';
  const usage = { prompt_tokens: 4321, completion_tokens: 11, prompt_tokens_details: { cached_tokens: 4000 } };
  const { url } = await setStage(turn({ text, usage }));
  const run = await runClaude(url, 'Say hello.');
  expect(run).toMatchObject({ exitCode: 0, text });
  expect(run.usage).toMatchObject({ input_tokens: 321, cache_read_input_tokens: 4000, output_tokens: 11 });
});

test('claude gets a long stream complete and in order', async () => {
  const lines = Array.from({ length: 2000 }, (_, index) => `Line ${index}: the quick brown fox — ${index * 7919}.\n`);
  const { url, upstream } = await setStage(stream(...lines.map((content) => delta({ content })), delta({}, 'stop')));
  const run = await runClaude(url, 'Write a long answer.');
  expect(run.exitCode).toBe(0);
  expect(run.text.trim()).toBe(lines.join('').trim());
  expect(upstream.requests).toHaveLength(1);
});
