import { expect, test } from 'vitest';
import { changedRestartOnlySettings, withRestartOnlySettings } from '../../../src/reload/configReloader.ts';
import { testConfig } from '../../helpers/startApp.ts';

const started = testConfig({ ANTHROPIC_API_KEY: 'a-token-of-more-than-24-characters' });
const wanted = (settings: Record<string, string>) =>
  testConfig({ ANTHROPIC_API_KEY: 'a-token-of-more-than-24-characters', ...settings });

test.each([
  ['HOST', '0.0.0.0'],
  ['PORT', '8099'],
  ['MAX_BODY_BYTES', '1M'],
  ['LOG_DIR', '/elsewhere'],
  ['LOG_MAX_SIZE', '1M'],
  ['LOG_MAX_TOTAL', '2M'],
  ['LOG_RETENTION_DAYS', '7'],
  ['STATE_DIR', '/elsewhere'],
  ['USAGE_RETENTION_DAYS', '7'],
  ['PERMISSION_MODEL', 'off'],
  ['DRAIN_SECONDS', '7'],
])('a changed %s waits for a restart, and what it was goes on', (name, value) => {
  const changed = wanted({ [name]: value, BIG_MODEL: 'another' });
  expect(changedRestartOnlySettings(started, changed)).toEqual([name]);
  const holding = withRestartOnlySettings(started, changed);
  expect(changedRestartOnlySettings(started, holding)).toEqual([]);
  expect(holding).toMatchObject({ hash: changed.hash, tiers: { big: 'another' } });
});

test('all else holds at once', () => {
  const changed = wanted({
    ANTHROPIC_API_KEY: 'another-token-of-more-than-24-characters',
    OPENAI_API_KEY: 'another-key-of-the-provider',
    LOG_LEVEL: 'debug',
    MAX_CONCURRENT: '3',
    MAX_TOKENS_LIMIT: '5000',
    ALLOWED_HOSTS: 'proxy.local',
  });
  expect(changedRestartOnlySettings(started, changed)).toEqual([]);
  expect(withRestartOnlySettings(started, changed)).toEqual(changed);
});
