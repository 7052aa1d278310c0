import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf } from '../helpers/received.ts';
import { callItem, inputOf, outputsOf, reasoned, responseTurn, textItem } from '../helpers/responsesTurn.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

// The upstream refuses each item of reasoning that comes back changed, cut, or not directly before its own text or call.

const bash = (word: string) =>
  callItem({ id: `call_${word}`, name: 'Bash', input: { command: `echo ${word}`, description: `says ${word}` } });

/** What the model gives by the number of results that it has; `undefined` where it has nothing more to do. */
const SCRIPT: Readonly<Record<number, JsonObject[]>> = {
  0: [
    ...reasoned(['First I greet.', 'Then I look.'], textItem('I will look.')),
    ...reasoned(['One command is enough.'], bash('one')),
  ],
  1: [...reasoned([], bash('two')), ...reasoned(['And another.'], bash('three'))],
  3: [...reasoned(['One is left.'], bash('four')), bash('five')],
};
const model = reply((request) =>
  responseTurn(SCRIPT[outputsOf(request).length] ?? reasoned(['Done.'], textItem('DONE'))),
);

const RESPONSES = { PROTOCOL: 'responses' };
const reasoningOf = (request: ReceivedRequest | undefined) =>
  request === undefined ? [] : inputOf(request).filter(({ type }) => type === 'reasoning');
const withTools = (requests: readonly ReceivedRequest[]) => requests.filter(({ body }) => body['tools'] !== undefined);

test.each([
  ['all fields of its calls kept', {}],
  ['the fields of others on its calls lost', { ENABLE_TOOL_SEARCH: 'false' }],
])('R622 R623 R624 claude thinks and uses tools over several turns, with %s', async (_name, environment) => {
  const { url, upstream } = await setStage(model, RESPONSES);
  const [folder, home] = [workFolder(), workFolder()];
  const options = { folder, home, allowedTools: 'Bash', environment };
  const run = await runClaude(url, 'Run them all.', options);
  expect(run).toMatchObject({ exitCode: 0, text: 'DONE' });
  expect(run.blocks).toContainEqual(
    expect.objectContaining({ type: 'thinking', thinking: 'First I greet.\n\nThen I look.' }),
  );
  const requests = withTools(upstream.requests);
  expect(requests.map((request) => [outputsOf(request).length, reasoningOf(request).length])).toEqual([
    [0, 0],
    [1, 2],
    [3, 4],
    [5, 5],
  ]);
  expect(outputsOf(requests.at(-1) as ReceivedRequest).map(({ output }) => output)).toEqual([
    'one',
    'two',
    'three',
    'four',
    'five',
  ]);

  // The session is loaded again from its file.
  const more = await runClaude(url, 'Anything else?', { ...options, arguments: ['-c'] });
  expect(more).toMatchObject({ exitCode: 0, text: 'DONE' });
  const [before, after] = [requests.at(-1), withTools(upstream.requests).at(-1)].map(reasoningOf);
  expect(after).toHaveLength(6);
  expect(after?.slice(0, 5)).toEqual(before);
});

test('R625 a session goes from chat completions to the Responses API, back, and there again', async () => {
  const chat = await setStage(
    reply((request) =>
      resultsOf(request).some((text) => text.includes('chat'))
        ? { reasoning: 'It is said.', text: 'CHAT DONE' }
        : {
            reasoning: 'I think in chat.',
            calls: [{ id: 'call_chat', name: 'Bash', input: { command: 'echo chat', description: 'says chat' } }],
          },
    ),
    { QUIRK_REASONING_REPLAY: 'reasoning_content' },
  );
  const isAnswered = (request: ReceivedRequest) =>
    outputsOf(request).some(({ output }) => String(output).includes('one'));
  const responses = await setStage(
    reply((request) =>
      responseTurn(isAnswered(request) ? reasoned(['Enough.'], textItem('DONE')) : reasoned(['Look.'], bash('one'))),
    ),
    RESPONSES,
  );
  const options = { folder: workFolder(), home: workFolder(), allowedTools: 'Bash' };
  const goOn = { ...options, arguments: ['-c'] };
  expect(await runClaude(chat.url, 'Begin.', options)).toMatchObject({ exitCode: 0, text: 'CHAT DONE' });
  expect(await runClaude(responses.url, 'Go on.', goOn)).toMatchObject({ exitCode: 0, text: 'DONE' });
  const [first, second] = withTools(responses.upstream.requests);
  expect([first, second].map(reasoningOf)).toEqual([[], [expect.objectContaining({ type: 'reasoning' })]]);
  expect(JSON.stringify(first?.body)).not.toContain('I think in chat.');

  expect(await runClaude(chat.url, 'And here?', goOn)).toMatchObject({ exitCode: 0, text: 'CHAT DONE' });
  const back = chat.upstream.requests.at(-1) as ReceivedRequest;
  expect(JSON.stringify(back.body)).not.toContain('encrypted');
  const thoughts = messagesOf(back).flatMap(({ reasoning_content: thought }) => (thought ? [thought] : []));
  expect(thoughts.slice(0, 2)).toEqual(['I think in chat.', 'It is said.']);
  expect(resultsOf(back)).toHaveLength(2);

  expect(await runClaude(responses.url, 'And there?', goOn)).toMatchObject({ exitCode: 0, text: 'DONE' });
  expect(reasoningOf(withTools(responses.upstream.requests).at(-1)).map(({ summary }) => summary)).toEqual(
    ['Look.', 'Enough.'].map((text) => [{ type: 'summary_text', text }]),
  );
});
