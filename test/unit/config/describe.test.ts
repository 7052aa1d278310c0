import { expect, test } from 'vitest';
import { describeConfig, formatProblems } from '../../../src/config/describe.ts';
import { presets } from '../../../src/providers/index.ts';
import { configOf, readLines } from '../../helpers/configText.ts';

test('--check shows what is in force and masks the secrets (S4)', () => {
  const text = describeConfig(
    configOf([
      'PROVIDER=glm',
      'OPENAI_API_KEY=canary-provider-0001',
      'ANTHROPIC_API_KEY=canary-client-000002',
      'CUSTOM_HEADER_AUTHORIZATION=Bearer canary-header',
      'QUIRK_TOP_K=1',
      'HOST=::1',
    ]),
  ).join('\n');
  expect(text).not.toContain('canary');
  expect(text).toContain('OPENAI_API_KEY in the env file, ****0001');
  expect(text).toContain('client token   ****0002');
  expect(text).toContain('http://[::1]:8082');
  expect(text).toContain('big glm-5.3, middle glm-5.3, small glm-5.3-flash');
  expect(text).toContain('kept 3 days, together at most 200M');
  expect(text).toContain('custom headers authorization');
  expect(text).toContain('quirks set     topK');
});

test('a key that is passed through is said to be', () => {
  expect(describeConfig(configOf(['PROVIDER=glm'])).join('\n')).toContain('passed through from the client');
});

test('a problem says where, what was found and how to mend it', () => {
  const { problems } = readLines(['PORT=80a1']);
  expect(formatProblems(problems)).toBe(
    [
      'envs/work.env:1  PORT  error: found "80a1"',
      '    -> Set a whole number from 1 to 65535.',
      'envs/work.env  PROVIDER  error: found nothing',
      `    -> Set one of ${presets.map((preset) => preset.name).join(', ')}.`,
    ].join('\n'),
  );
});

test('colours only where they are asked for', () => {
  const { problems } = readLines(['PORT=80a1']);
  expect(formatProblems(problems)).not.toContain('\u001b');
  expect(formatProblems(problems, { color: true })).toContain('\u001b[31merror');
});
