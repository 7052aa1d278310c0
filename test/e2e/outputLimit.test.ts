import { expect, test } from 'vitest';
import { inTurn } from '../helpers/fakeUpstream.ts';
import { messagesOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { turn } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

const textsOf = (blocks: readonly Readonly<Record<string, unknown>>[]) => blocks.map((block) => block['text']);

test('R203 claude goes on where the output limit cut the answer', async () => {
  const { url, upstream } = await setStage(
    inTurn(turn({ text: 'The first half,', finish: 'length' }), turn({ text: 'and the second.' })),
  );
  const run = await runClaude(url, 'Write much.');
  expect(run).toMatchObject({ exitCode: 0, text: 'and the second.' });
  expect(textsOf(run.blocks)).toEqual(['The first half,', 'and the second.']);
  expect(upstream.requests).toHaveLength(2);
  const [, second] = upstream.requests;
  const [cut, resume] = second ? messagesOf(second).slice(-2) : [];
  expect([cut?.role, textOf(cut)]).toEqual(['assistant', 'The first half,']);
  expect(textOf(resume)).toContain('Output token limit hit');
});

test('R140 what claude asks for stays below the limit of the model', async () => {
  const { url, upstream } = await setStage(turn({ text: 'SHORT' }), { MAX_TOKENS_LIMIT: '4096' });
  expect(await runClaude(url, 'hello')).toMatchObject({ exitCode: 0, text: 'SHORT' });
  expect(upstream.requests[0]?.body['max_tokens']).toBe(4096);
});
