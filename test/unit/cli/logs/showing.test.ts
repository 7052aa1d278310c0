import { describe, expect, test } from 'vitest';
import { readEntry } from '../../../../src/cli/logs/logEntries.ts';
import { instanceColours, jsonEntry, readableEntry } from '../../../../src/cli/logs/logView.ts';
import { parseSince } from '../../../../src/cli/options.ts';

const time = new Date('2026-11-20T09:00:00Z').toLocaleString('sv-SE');
const request = {
  id: 'req_0123456789abcdef01234567',
  time: '2026-11-20T09:00:00.000Z',
  level: 'info',
  event: 'request',
  instance: 'kimi',
  endpoint: '/v1/messages',
  model: 'claude-opus-4-6',
  upstream_model: 'kimi-k2.5',
  status: 200,
  outcome: 'ok',
  input_tokens: 1200,
  cache_read_tokens: 1000,
  output_tokens: 340,
  first_event_ms: 810,
  duration_ms: 3400,
};

const paint = (colour: string, text: string) => `<${colour}>${text}</>`;
const readable = (line: string) => readableEntry(readEntry('kimi', line), (_colour, text) => text);
const painted = (fields: object) => readableEntry(readEntry('kimi', JSON.stringify(fields)), paint);

describe('a readable line', () => {
  test('of a request', () => {
    expect(readable(JSON.stringify(request))).toBe(
      `${time}  ✓  claude-opus-4-6 → kimi-k2.5  in 1.2K out 340 cache read 1K  3.4 s, first 810 ms  ${request.id}`,
    );
  });

  test('of a request has all that the console of the executable shows', () => {
    const more = {
      tier: 'small',
      intent: 'title',
      cost: 0.0123,
      attempts: 2,
      fallbacks: [{ from: 'a,b', reason: 'down' }],
    };
    expect(readable(JSON.stringify({ ...request, ...more }))).toContain(
      'small title  claude-opus-4-6 → kimi-k2.5  fallback from a,b (down)  in 1.2K out 340 cache read 1K  $0.0123  3.4 s, first 810 ms  2 attempts',
    );
    expect(readable(JSON.stringify({ ...request, tier: 'big', intent: 'chat' }))).toContain('✓  big  claude');
  });

  test.each([{ event: 'request' }, { event: 'request', fallbacks: [3, null, {}], outcome: 'x', cost: 'y', model: {} }])(
    'of a request of another version does not fail: %j',
    (fields) => expect(readable(JSON.stringify(fields))).toMatch(/^- +✗/),
  );

  test('of a request whose answer was broken off', () => {
    const broken = { ...request, outcome: 'interrupted', error_type: 'api_error', error_message: 'gone' };
    expect(readable(JSON.stringify(broken))).toContain('broken off, api_error: gone');
  });

  test('of a request that failed', () => {
    const failed = {
      ...request,
      status: 429,
      outcome: 'error',
      error_type: 'rate_limit_error',
      error_message: 'slow down',
    };
    expect(readable(JSON.stringify(failed))).toContain(
      '✗  claude-opus-4-6 → kimi-k2.5  429 rate_limit_error: slow down  ',
    );
  });

  test('of a message, with its further fields', () => {
    const message = { level: 'warn', time: request.time, instance: 'kimi', message: 'slow disk', drops: 3, path: '/x' };
    expect(readable(JSON.stringify(message))).toBe(`${time}  warn slow disk drops=3 path=/x`);
  });

  test('cannot steer the terminal, whatever it is', () => {
    expect(readable('\u001b[2Jplain \u202e text')).toBe('\\x1b[2Jplain \\u202e text');
    const message = { time: '\u001b[2J', level: 'info', message: 'a\u001b]0;title\u0007b', 'evil\u001b': 'x' };
    expect(readable(JSON.stringify(message))).not.toMatch(/\p{Cc}/u);
    expect(jsonEntry(readEntry('kimi', JSON.stringify({ message: 'a\u009b2J\u007f' })))).toBe(
      '{"message":"a\\u009b2J\\u007f"}',
    );
  });

  test.each([
    ['a request that failed', { event: 'request', outcome: 'error', level: 'warn' }, 'red'],
    ['one that was refused', { event: 'request', outcome: 'rejected' }, 'yellow'],
    ['one that was answered', { event: 'request', outcome: 'ok', level: 'info' }, 'green'],
    ['a warning', { level: 'warn', message: 'x' }, 'yellow'],
    ['an error', { level: 'error', message: 'x' }, 'red'],
  ])('%s has its colour', (_what, fields, colour) => {
    expect(painted(fields)).toMatch(new RegExp(`^<gray>[^<]+</> {2}<${colour}>.+</>`));
  });

  test('for programs is the line itself, or a record around it', () => {
    expect(jsonEntry(readEntry('kimi', JSON.stringify(request)))).toBe(JSON.stringify(request));
    expect(JSON.parse(jsonEntry(readEntry('kimi', 'no "JSON"')))).toEqual({ instance: 'kimi', message: 'no "JSON"' });
  });
});

describe('the colours of instances', () => {
  const names = ['demo', 'gemini', 'glm', 'kimi', 'minimax', 'work'];

  test('differ, and do not depend on the order', () => {
    const colours = instanceColours(names);
    expect(new Set(names.map((name) => colours.get(name))).size).toBe(names.length);
    expect(instanceColours(names.toReversed())).toEqual(colours);
  });

  test('belong to the name: most keep theirs when another instance comes', () => {
    const before = instanceColours(names);
    const after = instanceColours([...names, 'acme']);
    expect(names.filter((name) => before.get(name) !== after.get(name)).length).toBeLessThanOrEqual(2);
  });

  test('are enough for any number of instances', () => {
    const many = Array.from({ length: 50 }, (_name, index) => `instance-${index}`);
    expect(instanceColours(many).size).toBe(50);
  });
});

describe('since', () => {
  const now = Date.UTC(2026, 10, 20, 12);
  test.each([
    ['90s', now - 90_000],
    ['30m', now - 1_800_000],
    ['2h', now - 7_200_000],
    ['1d', now - 86_400_000],
    ['1w', now - 604_800_000],
    ['2026-11-20T09:00:00Z', Date.UTC(2026, 10, 20, 9)],
    ['2026-11-20T09:00:00.250+02:00', Date.UTC(2026, 10, 20, 7, 0, 0, 250)],
    ['2026-11-20T09:00', new Date(2026, 10, 20, 9).getTime()],
    ['2026-11-20 09:00', new Date(2026, 10, 20, 9).getTime()],
    ['2026-11-20', new Date(2026, 10, 20).getTime()],
  ])('%s', (text, expected) => {
    expect(parseSince(text, now)).toBe(expected);
  });

  test.each(['yesterday', '2', 'h', '-2h', '1.5h', '2026-13-01', '2026-11-20T25:00', '20.11.2026', ''])(
    'not %s',
    (text) => {
      expect(parseSince(text, now)).toBeUndefined();
    },
  );
});
