import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor, Secret } from '../../../../src/core/secret.ts';
import { displayWidth } from '../../../../src/core/text.ts';
import type { ColourCount } from '../../../../src/telemetry/console/lines.ts';
import { createConsoleView } from '../../../../src/telemetry/console/view.ts';
import type { RequestRecord } from '../../../../src/telemetry/requestRecord.ts';

/** Half past eight by the calendar of whatever machine this runs on. */
const TIME = new Date(2026, 10, 20, 8, 30, 5).getTime();

function viewOf(columns?: number, colours: ColourCount = 0) {
  return createConsoleView({
    instance: 'kimi',
    providers: ['kimi', 'glm'],
    colours,
    columns: () => columns,
    redact: createRedactor([new Secret('sk-canary-0123456789')]),
  });
}

const plain: RequestRecord = {
  id: 'req_1',
  endpoint: '/v1/messages',
  provider: 'kimi',
  tier: 'big',
  model: 'claude-opus-5',
  upstreamModel: 'kimi-k3',
  stream: true,
  status: 200,
  outcome: 'ok',
  inputTokens: 12_345,
  outputTokens: 456,
  cost: 0.01234,
  firstEventMs: 812,
  durationMs: 3400,
  attempts: 1,
};

const lines: readonly [string, Partial<RequestRecord>, string][] = [
  ['ok', {}, '✓  kimi  big  claude-opus-5 → kimi-k3  in 12.3K out 456  $0.0123  3.4 s, first 812 ms'],
  [
    'another provider, cache, estimates',
    { provider: 'glm', cacheReadTokens: 11_000, cacheWriteTokens: 2000, usageEstimated: true },
    '✓  kimi/glm  big  claude-opus-5 → kimi-k3  in ~12.3K out ~456 cache read ~11K cache write ~2K  $0.0123  3.4 s, first 812 ms',
  ],
  [
    'an unknown price, no tier',
    { cost: undefined, model: 'kimi-k3', tier: 'none' },
    '✓  kimi  kimi-k3  in 12.3K out 456  $?  3.4 s, first 812 ms',
  ],
  [
    'an error after attempts',
    {
      status: 529,
      outcome: 'error',
      errorType: 'overloaded_error',
      errorMessage: '[kimi] busy',
      attempts: 3,
      inputTokens: undefined,
      outputTokens: undefined,
      firstEventMs: undefined,
      cost: 0,
    },
    '✗  kimi  big  claude-opus-5 → kimi-k3  529 overloaded_error: [kimi] busy  3.4 s  3 attempts',
  ],
  [
    'a fallback',
    {
      provider: 'glm',
      route: 'think',
      attempts: 2,
      fallbacks: [{ from: 'kimi,kimi-k3', reason: '503 overloaded' }],
    },
    '✓  kimi/glm  big think  claude-opus-5 → kimi-k3  fallback from kimi,kimi-k3 (503 overloaded)  in 12.3K out 456  $0.0123  3.4 s, first 812 ms  2 attempts',
  ],
  [
    'a rejection',
    {
      status: 400,
      outcome: 'rejected',
      errorType: 'invalid_request_error',
      errorMessage: 'model: is missing',
      model: undefined,
      upstreamModel: undefined,
      tier: undefined,
      inputTokens: undefined,
      outputTokens: undefined,
      firstEventMs: undefined,
      attempts: undefined,
      cost: 0,
      durationMs: 2,
    },
    '✗  kimi  400 invalid_request_error: model: is missing  2 ms',
  ],
  [
    'a broken stream',
    { outcome: 'interrupted', errorType: 'api_error', errorMessage: 'upstream stream ended early' },
    '✗  kimi  big  claude-opus-5 → kimi-k3  broken off, api_error: upstream stream ended early  in 12.3K out 456  $0.0123  3.4 s, first 812 ms',
  ],
  [
    'a client that left, elsewhere',
    { outcome: 'client_closed', endpoint: '/v1/chat/completions' },
    '○  kimi  chat/completions  big  claude-opus-5 → kimi-k3  the client has gone  in 12.3K out 456  $0.0123  3.4 s, first 812 ms',
  ],
];

test.each(lines)('a request is one line: %s', (_name, fields, expected) => {
  expect(viewOf().request(TIME, { ...plain, ...fields })).toBe(`08:30:05  ${expected}  req_1`);
});

test.each([
  [999, '999'],
  [1000, '1K'],
  [999_949, '999.9K'],
  [999_950, '1M'],
  [1_250_000, '1.3M'],
])('%i tokens are %s', (inputTokens, expected) => {
  expect(viewOf().request(TIME, { ...plain, inputTokens })).toContain(`in ${expected} out`);
});

test('each part has its colour', () => {
  const line = viewOf(undefined, 16).request(TIME, { ...plain, provider: 'glm' });
  expect(line).toContain('\x1b[32m✓\x1b[0m');
  expect(line).toContain('\x1b[1mkimi-k3\x1b[0m');
  const colourOf = (name: string) => new RegExp(`\\[([\\d;]+)m${name}\\u001b`).exec(line)?.[1];
  expect(colourOf('kimi')).toBeDefined();
  expect(colourOf('glm')).toBeDefined();
  expect(colourOf('glm')).not.toBe(colourOf('kimi'));
  expect(viewOf(undefined, 256).request(TIME, plain)).toMatch(/38;5;\d+mkimi/);
});

test('what clients and providers write cannot act upon the terminal, and keys are masked', () => {
  const evil = 'a\x1b[2Jb\rc\u202ed sk-canary-0123456789';
  const line = viewOf().request(TIME, {
    ...plain,
    model: evil,
    upstreamModel: `${evil} too`,
    outcome: 'error',
    errorMessage: evil,
  });
  expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(line.match(/a\\x1b\[2Jb\\x0dc\\u202ed \*\*\*\*/g)).toHaveLength(3);
});

test('a narrow terminal shortens names and the error, and cuts the end', () => {
  const failed = { ...plain, outcome: 'error' as const, status: 502, errorMessage: 'a long story '.repeat(20) };
  expect(viewOf(100).request(TIME, failed)).toBe(
    '08:30:05  ✗  kimi  big  claude-opus… → kimi-k3  502 a long story a long…  in 12.3K out 456  $0.0123…',
  );
  expect(viewOf(60).request(TIME, { ...plain, model: 'claude-'.repeat(10) })).toBe(
    '08:30:05  ✓  kimi  big  claude-clau… → kimi-k3  in 12.3K ou…',
  );
});

test('no line is wider than the terminal, whatever is in it', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 40, max: 160 }), (model, errorMessage, columns) => {
      const view = viewOf(columns, 256);
      const written = [
        view.request(TIME, { ...plain, model, outcome: 'error', errorMessage }),
        ...view.message(TIME, 'error', `${errorMessage} ${model}`),
        ...view.summary(model, [`provider   ${errorMessage}`]),
      ];
      for (const line of written) expect(displayWidth(stripVTControlCharacters(line))).toBeLessThanOrEqual(columns);
    }),
  );
});

test('messages are laid out over lines, with nothing lost', () => {
  expect(viewOf().message(TIME, 'info', 'listening on http://127.0.0.1:8081')).toEqual([
    '08:30:05  ·  kimi  listening on http://127.0.0.1:8081',
  ]);
  const text = `port 8081 is taken by node (pid 4711); set another PORT in /home/${'x'.repeat(60)}/envs/kimi.env`;
  const written = viewOf(50, 16).message(TIME, 'error', text);
  expect(written.map(stripVTControlCharacters)).toEqual([
    '08:30:05  ✗  kimi  error: port 8081 is taken by',
    '    node (pid 4711); set another PORT in',
    `    /home/${'x'.repeat(39)}`,
    `    ${'x'.repeat(21)}/envs/kimi.env`,
  ]);
  for (const line of written) expect(line).toContain('\x1b[31m');
  expect(viewOf().message(TIME, 'warn', 'odd\x07')).toEqual(['08:30:05  !  kimi  warn: odd\\x07']);
});

test('the summary has a title and a line per row, cut at the width', () => {
  const rows = ['provider       kimi, https://api.example/v1', 'hash           abc'];
  expect(viewOf(40).summary('claude-code-proxy 1.0.0', rows)).toEqual([
    'claude-code-proxy 1.0.0',
    'provider       kimi, https://api.exampl…',
    'hash           abc',
  ]);
  expect(viewOf(40, 16).summary('title', rows)[2]).toBe('\x1b[2mhash           \x1b[0mabc');
});
