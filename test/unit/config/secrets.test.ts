import { describe, expect, test } from 'vitest';
import { settingNames } from '../../../src/config/env/settings.ts';
import { mayBeInFile } from '../../../src/config/env/variables.ts';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const LONG = 'k7Qm2Xv9Lr4Tz8Wb1Nc6Yd3H';

describe('provider key', () => {
  test.each([
    'your-api-key-here',
    'sk-your-openai-api-key-here',
    'your_api_key_here',
    'sk-xxx',
    'sk-***',
    '***',
    'changeme',
    'change-me',
    'sk-...',
    '<your key>',
  ])('the placeholder %s counts as none, with a warning', (value) => {
    const { config, problems } = readLines(['PROVIDER=kimi', `OPENAI_API_KEY='${value}'`]);
    expect(config?.provider.key.source).toBe('client');
    expect(problems).toMatchObject([{ line: 2, severity: 'warning', found: expect.stringContaining('placeholder') }]);
  });

  test.each(['dummy-key', 'EMPTY', 'sk-yourself', 'xai-abc'])('%s is a key', (value) => {
    expect(configOf(['PROVIDER=kimi', `OPENAI_API_KEY=${value}`]).provider.key.secret?.reveal()).toBe(value);
  });

  test('the provider’s own name goes before OPENAI_API_KEY', () => {
    const { config, problems } = readLines(['PROVIDER=glm', 'OPENAI_API_KEY=a1', 'ZAI_API_KEY=b1']);
    expect(config?.provider.key).toMatchObject({ source: 'file', variable: 'ZAI_API_KEY' });
    expect(problems).toMatchObject([{ key: 'OPENAI_API_KEY', severity: 'warning' }]);
  });

  test.each(['"a\\nb"', 'clé-日本', '"two words"'])('U18 %s is refused with its line and not shown', (value) => {
    const { problems } = readLines(['PROVIDER=kimi', '', `OPENAI_API_KEY=${value}`]);
    expect(problems).toMatchObject([{ line: 3, key: 'OPENAI_API_KEY', severity: 'error' }]);
    expect(problems[0]?.found).toContain('not shown');
  });

  test('blanks around it are taken off', () => {
    expect(configOf(['PROVIDER=kimi', 'OPENAI_API_KEY=" sk-1 "']).provider.key.secret?.reveal()).toBe('sk-1');
  });
});

test.each(settingNames.filter(mayBeInFile))('%s is read, too, from the file that its _FILE names', (setting) => {
  expect(problemsOf(['PROVIDER=kimi', `${setting}_FILE=/nowhere/secret`])).toContain(`error 2 ${setting}_FILE`);
});

describe('A2 R507 client token', () => {
  test.each(['changeme', 'dummy', 'test', 'your-api-key', 'any-value'])(
    '%s is reported on loopback and refused elsewhere',
    (value) => {
      const token = `ANTHROPIC_API_KEY=${value}`;
      expect(problemsOf(['PROVIDER=demo', token])).toEqual(['warning 2 ANTHROPIC_API_KEY']);
      expect(configOf(['PROVIDER=demo', token]).clientToken?.reveal()).toBe(value);
      expect(problemsOf(['PROVIDER=demo', token, 'HOST=0.0.0.0'])).toEqual(['error 2 ANTHROPIC_API_KEY']);
    },
  );

  test('a short one is enough on loopback', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1'])
      expect(problemsOf(['PROVIDER=demo', `HOST=${host}`, 'ANTHROPIC_API_KEY=abc'])).toEqual([]);
  });

  test.each(['0.0.0.0', '::', '192.168.1.5', 'box.lan', '127.0.0.1.example.com'])(
    'R509 %s needs one of at least 24 characters',
    (host) => {
      expect(problemsOf(['PROVIDER=demo', `HOST=${host}`])).toEqual(['error 2 HOST']);
      const short = LONG.slice(1);
      expect(problemsOf(['PROVIDER=demo', `HOST=${host}`, `ANTHROPIC_API_KEY=${short}`])).toEqual([
        'error 3 ANTHROPIC_API_KEY',
      ]);
      expect(problemsOf(['PROVIDER=demo', `HOST=${host}`, `ANTHROPIC_API_KEY=${LONG}`])).toEqual([]);
    },
  );

  test('beside a key that is passed through it is a warning', () => {
    expect(problemsOf(['PROVIDER=kimi', 'ANTHROPIC_API_KEY=abc'])).toEqual(['warning 2 ANTHROPIC_API_KEY']);
    expect(problemsOf(['PROVIDER=kimi', 'OPENAI_API_KEY=sk-1', 'ANTHROPIC_API_KEY=abc'])).toEqual([]);
  });
});
