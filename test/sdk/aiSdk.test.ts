import { createAnthropic } from '@ai-sdk/anthropic';
import { APICallError, generateText, isStepCount, streamText, tool } from 'ai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../helpers/fakeUpstream.ts';
import { callsOf, resultsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';

const cities = ['Kraków', 'Łódź'];
const weather = tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `rain in ${city}`,
});

const twoSteps = reply((request) => {
  const results = resultsOf(request);
  if (results.length > 0) return { text: `So: ${results.join(', ')}` };
  return {
    reasoning: 'I look.',
    text: 'Looking.',
    calls: cities.map((city) => ({ name: 'weather', input: { city } })),
  };
});

async function model(url: string) {
  return createAnthropic({ baseURL: `${url}/v1`, apiKey: 'any' })('claude-opus-5-5');
}

test('generateText runs tools and ends with their results', async () => {
  const { url, upstream } = await setStage(twoSteps);
  const result = await generateText({
    model: await model(url),
    tools: { weather },
    stopWhen: isStepCount(3),
    prompt: 'How is the weather?',
  });
  expect(result.text).toBe('So: rain in Kraków, rain in Łódź');
  expect(result.steps).toHaveLength(2);
  expect(result.steps[0]?.reasoningText).toBe('I look.');
  expect(upstream.requests).toHaveLength(2);
});

test('streamText runs tools and streams the text of both steps', async () => {
  const { url, upstream } = await setStage(twoSteps);
  const result = streamText({
    model: await model(url),
    tools: { weather },
    stopWhen: isStepCount(3),
    prompt: 'How is the weather?',
  });
  let text = '';
  for await (const piece of result.textStream) text += piece;
  expect(text).toBe('Looking.So: rain in Kraków, rain in Łódź');
  expect(await result.finishReason).toBe('stop');
  const [, second] = upstream.requests;
  expect(second && callsOf(second).map(({ input }) => input['city'])).toEqual(cities);
});

test('an error of the provider has its status and words', async () => {
  const { url } = await setStage(json(403, { error: { message: 'not in your plan' } }));
  const error = await generateText({ model: await model(url), prompt: 'Hello', maxRetries: 0 }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(APICallError);
  expect(error).toMatchObject({ statusCode: 403, message: expect.stringContaining('not in your plan') });
});
