import { expect } from 'vitest';
import { json } from '../../helpers/fakeUpstream.ts';
import { events, FINISH, piece, usageFrame } from '../answering.ts';
import { question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** What may stand in a provider's usage, as it is written. */
const USAGES: readonly (readonly [name: string, usage: string])[] = [
  ['a fraction', '{"prompt_tokens":10.5,"completion_tokens":2.25,"total_tokens":12.75}'],
  ['negative counts', '{"prompt_tokens":-10,"completion_tokens":-2,"total_tokens":-12}'],
  ['1e308', '{"prompt_tokens":1e308,"completion_tokens":1e308,"total_tokens":1e308}'],
  [
    '1e308 once more',
    '{"prompt_tokens":1e308,"completion_tokens":1e308,"prompt_tokens_details":{"cached_tokens":1e308}}',
  ],
  ['more than all numbers', '{"prompt_tokens":1e999,"completion_tokens":-1e999}'],
  ['texts', '{"prompt_tokens":"10","completion_tokens":"many","total_tokens":"=1+1"}'],
  ['more digits than a number has', '{"prompt_tokens":9007199254740993,"completion_tokens":18446744073709551616}'],
  ['lists and objects', '{"prompt_tokens":[1],"completion_tokens":{"a":1},"prompt_tokens_details":"x"}'],
  ['null and true', '{"prompt_tokens":null,"completion_tokens":true,"prompt_tokens_details":null}'],
  ['more cached than read', '{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":500}}'],
  [
    'more reasoned than said',
    '{"prompt_tokens":5,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":-7.5}}',
  ],
  ['what is no JSON (NaN)', '{"prompt_tokens":NaN,"completion_tokens":2}'],
  ['a text in place of usage', '"none"'],
];

/** Rows are written together, once a second. */
const WRITING = { timeout: 6000, interval: 50 };

/** The row of a question is written soon, whatever stood in the rows before it. */
async function expectUsageWritten(stage: Stage): Promise<void> {
  const { written } = (await stage.health()).usage;
  const { status } = await stage.ask(question('ordinary'));
  expect(status).toBe(200);
  const usage = async () => (await stage.health()).usage;
  await expect.poll(async () => (await usage()).written, WRITING).toBeGreaterThan(written);
  expect(await usage()).toMatchObject({ dropped: 0, healthy: true });
}

/** Sums are numbers that JSON and Prometheus can say, and that somebody could have used. */
async function expectSensibleSums(stage: Stage): Promise<void> {
  const MOST = 1e15;
  const stats = await stage.get('/v1/stats');
  for (const [, value] of stats.matchAll(/"\w*tokens\w*":([^,}\]{["]+)/g)) {
    expect(Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) < MOST, `/v1/stats: ${value}`).toBe(
      true,
    );
    expect(value).not.toBe('null');
  }
  const metrics = await stage.get('/metrics');
  for (const [line, value] of metrics.matchAll(/^claude_code_proxy_tokens_total\S* (\S+)$/gm)) {
    expect(Number(value) >= 0 && Number(value) < MOST, `/metrics: ${line}`).toBe(true);
  }
}

const streamed = USAGES.map(
  ([name, usage]): Scenario => ({
    name: `${name} at the end of a stream`,
    provider: events(piece({ content: 'hello' }), piece({}, 'stop'), usageFrame(usage), 'data: [DONE]\n\n'),
    holds: async (_answers, stage) => {
      await expectUsageWritten(stage);
      await expectSensibleSums(stage);
    },
  }),
);

const whole = USAGES.slice(0, 4).map(
  ([name, usage]): Scenario => ({
    name: `${name} in a whole answer`,
    provider: json(200, `{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":${usage}}`),
    questions: [wholeQuestion('hostile')],
    holds: (_answers, stage) => expectSensibleSums(stage),
  }),
);

export const usageScenarios: readonly Scenario[] = [
  ...streamed,
  ...whole,
  {
    name: 'usage in every one of 20,000 frames',
    provider: events(
      piece({ content: 'hello' }),
      usageFrame('{"prompt_tokens":1,"completion_tokens":1}').repeat(20_000),
      FINISH,
    ),
  },
];
