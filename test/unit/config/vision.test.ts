import { describe, expect, test } from 'vitest';
import { configFromText } from '../../../src/config/load.ts';

function load(lines: readonly string[]) {
  return configFromText(
    '/envs/work.env',
    ['PORT=8099', 'OPENAI_API_KEY=key-of-the-provider', ...lines].join('\n'),
    {
      VISION_MODEL: 'from-the-environment',
      VISION_URL: 'http://127.0.0.1:1',
    },
    '/project',
  );
}

const visionOf = (...lines: string[]) => load(lines).config?.vision;
/** The first problem as `line setting found fix`. */
const problemOf = (...lines: string[]) => {
  const [problem] = load(lines).problems.filter(({ severity }) => severity === 'error');
  return problem && `${problem.line} ${problem.key} ${problem.found} ${problem.fix}`;
};

describe('who describes pictures', () => {
  test('nobody by default, whatever the environment of the process says', () => {
    expect(visionOf('PROVIDER=glm')).toBeUndefined();
    expect(load(['PROVIDER=glm']).config?.visionTimeoutMs).toBe(120_000);
  });

  test('a model of the same provider', () => {
    const vision = visionOf('PROVIDER=glm', 'VISION_MODEL=glm-5.3-flash');
    expect(vision).toMatchObject({
      label: 'glm-5.3-flash',
      setting: 'VISION_MODEL',
      ref: { model: 'glm-5.3-flash', provider: { baseUrl: 'https://api.z.ai/api/paas/v4' } },
    });
  });

  test('another instance, whose small model is asked unless another is named', () => {
    expect(visionOf('PROVIDER=glm', 'VISION_URL=http://127.0.0.1:8083/')).toMatchObject({
      label: 'haiku at 127.0.0.1:8083',
      setting: 'VISION_URL',
      ref: {
        model: 'haiku',
        provider: { endpoint: 'http://127.0.0.1:8083/v1/messages', key: { source: 'none' }, headers: {} },
      },
    });
    const named = [
      'PROVIDER=glm',
      'VISION_URL=http://127.0.0.1:8083',
      'VISION_MODEL=sonnet[1m]',
      'VISION_TOKEN=abc-123',
    ];
    const { config } = load(named);
    expect(config?.vision?.ref).toMatchObject({ model: 'sonnet', provider: { key: { source: 'file' } } });
    expect(config?.secrets.map((secret) => secret.reveal())).toContain('abc-123');
  });

  test('a change of it changes the hash', () => {
    const hashes = [
      [],
      ['VISION_MODEL=glm-5.3-flash'],
      ['VISION_URL=http://127.0.0.1:8083'],
      ['VISION_URL=http://127.0.0.1:8083', 'VISION_TOKEN=abc-123'],
    ].map((lines) => load(['PROVIDER=glm', ...lines]).config?.hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test.each([
    [
      'VISION_MODEL=glm-5.3',
      /^4 VISION_MODEL "glm-5.3", which sees no pictures itself Name a model that does: .*glm-5.3-flash/,
    ],
    ['VISION_MODEL=nobody,eyes', /^4 VISION_MODEL "nobody,eyes", of a provider that there is not/],
    ['VISION_URL=127.0.0.1:8083', /^4 VISION_URL .* Set an http:\/\/ or https:\/\/ address/],
    ['VISION_URL=http://user:pass@host', /^4 VISION_URL .* without user name/],
    ['VISION_URL=http://169.254.169.254', /^4 VISION_URL .*where a cloud gives its machines their credentials/],
    ['VISION_URL=http://127.0.0.1:8099', /^4 VISION_URL .*this instance itself Set the address of another one/],
    ['VISION_TOKEN=two words', /^4 VISION_TOKEN a value of 9 characters .*Set a key of printable/],
    ['VISION_TIMEOUT=soon', /^4 VISION_TIMEOUT "soon" Set a number of seconds/],
  ])('%s is refused with the line and what to write', (line, problem) => {
    expect(problemOf('PROVIDER=glm', line)).toMatch(problem);
  });
});
