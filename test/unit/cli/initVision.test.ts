import { expect, test } from 'vitest';
import { offerVision, toolsNote } from '../../../src/cli/commands/init.ts';
import { testConfig } from '../../helpers/startApp.ts';

test.each([
  [
    'a blind model beside one that sees',
    { PROVIDER: 'glm' },
    /^glm-5\.3 sees no pictures\. .*\.\/manage set work VISION_MODEL=glm-5\.3-flash/,
  ],
  [
    'a blind model alone',
    { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', BIG_MODEL: 'a', QUIRK_VISION: '0' },
    /VISION_URL=ADDRESS/,
  ],
])('init offers a description of pictures: %s', (_name, settings, offer) => {
  expect(offerVision('work', testConfig(settings))).toEqual([expect.stringMatching(offer)]);
});

test.each([
  ['a model that sees', { PROVIDER: 'kimi' }],
  ['what is configured', { PROVIDER: 'glm', VISION_MODEL: 'glm-5.3-flash' }],
  ['the demo', { PROVIDER: 'demo' }],
])('init offers none for %s', (_name, settings) => {
  expect(offerVision('work', testConfig(settings))).toEqual([]);
});

test.each([
  ['a limit of the preset', { PROVIDER: 'kimi' }, [expect.stringContaining('is sent 128 tools at most')]],
  [
    'a limit of the user',
    { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', BIG_MODEL: 'a', QUIRK_TOOLS_MAX: '20' },
    [expect.stringContaining('a is sent 20 tools')],
  ],
  ['no limit', { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', BIG_MODEL: 'a' }, []],
  ['an endpoint with the Messages API', { PROVIDER: 'kimi-anthropic' }, []],
])('init says how many tools the model is sent: %s', (_name, settings, notes) => {
  expect(toolsNote(testConfig(settings))).toEqual(notes);
});
