import { expect, test } from 'vitest';
import { type Behaviour, json } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude } from './claudeClient.ts';

/** How each provider says that a conversation is too long for its model. */
const overflows: { provider: string; form: string; says: Behaviour }[] = [
  {
    provider: 'kimi',
    form: 'with both numbers',
    says: json(400, {
      error: {
        type: 'invalid_request_error',
        message: 'Invalid request: Your request exceeded model token limit : 262144 (requested: 300001)',
      },
    }),
  },
  {
    provider: 'kimi',
    form: 'without numbers',
    says: json(400, { error: { type: 'invalid_request_error', message: 'Input token length too long' } }),
  },
  {
    provider: 'glm',
    form: 'with its code',
    says: json(400, { error: { code: '1261', message: 'Prompt exceeds max length' } }),
  },
  {
    provider: 'minimax',
    form: 'with the code in the text',
    says: json(400, {
      type: 'error',
      error: {
        type: 'bad_request_error',
        message: 'invalid params, context window exceeds limit (2013)',
        http_code: '400',
      },
      request_id: '0123',
    }),
  },
  {
    provider: 'gemini',
    form: 'in a list',
    says: json(400, [
      {
        error: {
          code: 400,
          message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
          status: 'INVALID_ARGUMENT',
        },
      },
    ]),
  },
];

const TURNS = 6;
const LONG_OUTPUT = { command: 'seq 1 2000', description: 'count' };

test.each(overflows)(
  'R404 claude compacts by itself when $provider says $form that the conversation is too long',
  async ({ provider, says }) => {
    let refusals = 0;
    const { url, upstream } = await setStage(
      reply((request) => {
        const last = messagesOf(request).slice(-2).map(textOf).join('\n');
        if (messagesOf(request).some((message) => textOf(message).includes('COMPACT-MARK')))
          return { text: 'FINISHED' };
        if (/<analysis>|detailed summary/i.test(last)) {
          return { text: '<analysis>short</analysis>\n<summary>\nThe user wants numbers. COMPACT-MARK\n</summary>' };
        }
        if (resultsOf(request).length < TURNS) {
          return { reasoning: 'I count.', calls: [{ name: 'Bash', input: LONG_OUTPUT }] };
        }
        refusals += 1;
        return says;
      }),
      { PROVIDER: provider },
    );
    const run = await runClaude(url, 'Work through the list.', { allowedTools: 'Bash' });
    expect(run).toMatchObject({ exitCode: 0, text: 'FINISHED' });
    // A status that the client repeats would refuse again and again.
    expect(refusals).toBe(1);
    expect(upstream.requests).toHaveLength(TURNS + 3);
  },
);
