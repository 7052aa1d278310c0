import { describe, expect, test, vi } from 'vitest';
import { RequestBody } from '../../../src/gateway/requestBody.ts';
import { BodyFacts } from '../../../src/gateway/route.ts';
import { ResolvedModels } from '../../../src/gateway/services.ts';
import { ConversationCache } from '../../../src/translate/conversationCache.ts';
import { createTokenCalibration } from '../../../src/translate/tokenCalibration.ts';
import { startApp } from '../../helpers/startApp.ts';

const app = await startApp({ BIG_MODEL: 'big', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' });
await app.close();
const config = { ...app.services.config, longContextThreshold: 1000 };
const services = {
  ...app.services,
  config,
  targets: new ResolvedModels(config),
  calibration: createTokenCalibration(),
};

function bodyOf(fields: Record<string, unknown>): RequestBody {
  const value = { model: 'big', max_tokens: 1, messages: [], ...fields };
  return new RequestBody(Buffer.from(JSON.stringify(value)), value, new ConversationCache());
}

const facts = (body: RequestBody, agent?: string) =>
  new BodyFacts(services, { agent }, body, config.modelRefs.of('big'));
const say = (content: unknown) => ({ messages: [{ role: 'user', content }] });

describe('whether a request is long', () => {
  test('a body with fewer bytes than the threshold has tokens is not measured', () => {
    const body = bodyOf(say('x'.repeat(500)));
    const measured = vi.spyOn(body, 'measured', 'get');
    expect(facts(body).isLong()).toBe(false);
    expect(measured).not.toHaveBeenCalled();
  });

  test('a larger one is measured by what the model has taught, and once', () => {
    const body = bodyOf(say('word '.repeat(900)));
    expect(facts(body).isLong()).toBe(false);
    const { measured } = body;
    for (let time = 0; time < 50; time += 1) {
      services.calibration.observe('big', measured, (measured.rest + measured.ideographs) * 1.5);
    }
    expect(facts(body).isLong()).toBe(true);
    expect(body.measured).toBe(measured);
  });

  test('one that only its provider can read is not', () => {
    expect(facts(bodyOf({ messages: 'x'.repeat(5000) })).isLong()).toBe(false);
  });
});

test.each<[string, Record<string, unknown>, boolean]>([
  ['adaptive', { thinking: { type: 'adaptive' } }, true],
  ['enabled', { thinking: { type: 'enabled', budget_tokens: 1 } }, true],
  ['disabled', { thinking: { type: 'disabled' } }, false],
  ['absent', {}, false],
])('thinking %s', (_what, fields, expected) => {
  expect(facts(bodyOf(fields)).isThinking()).toBe(expected);
});

test.each<[string, unknown, boolean]>([
  ['a text', 'x', false],
  ['an image', [{ type: 'image', source: {} }], true],
  ['an image in a tool’s result', [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'image' }] }], true],
  ['an image of chat completions', [{ type: 'image_url', image_url: {} }], true],
  ['a text block', [{ type: 'text', text: 'image' }], false],
])('images in %s', (_what, content, expected) => {
  expect(facts(bodyOf(say(content))).hasImages()).toBe(expected);
});

test.each<[readonly unknown[], boolean]>([
  [[{ type: 'web_search_20250305', name: 'web_search' }], true],
  [[{ type: 'web_search_20250305' }, { name: 'Read' }], false],
  [[{ name: 'Read' }], false],
  [[], false],
])('the tools %j are a web search alone: %s', (tools, expected) => {
  expect(facts(bodyOf({ tools })).isWebSearch()).toBe(expected);
});

test('a subagent is known by its id', () => {
  expect([facts(bodyOf({}), 'agent-1').isSubagent(), facts(bodyOf({})).isSubagent()]).toEqual([true, false]);
});
