import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readableLine, timeOfLine } from '../../../../scripts/manage/logLine.ts';
import { followLines, readTail } from '../../../../scripts/manage/logTail.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logs-'));
  file = join(directory, 'kimi.log');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the last lines', () => {
  test('are read from the end, also of a file larger than one piece', async () => {
    const lines = Array.from({ length: 5000 }, (_line, index) => `line ${index} ${'月'.repeat(20)}`);
    await writeFile(file, `${lines.join('\n')}\n`);
    expect((await readTail(file, 3)).lines).toEqual(lines.slice(-3));
    expect((await readTail(file, 4000)).lines).toEqual(lines.slice(-4000));
    expect((await readTail(file, 9999)).lines).toEqual(lines);
    expect((await readTail(file, 0)).lines).toEqual([]);
  });

  test('do not contain the one that is being written; a missing file has none', async () => {
    expect((await readTail(file, 5)).lines).toEqual([]);
    await writeFile(file, 'one\ntwo\nthr');
    expect((await readTail(file, 5)).lines).toEqual(['one', 'two']);
  });
});

test('following waits for the file, joins pieces of a line and goes on in the new file after a rotation', async () => {
  const seen: string[] = [];
  const end = new AbortController();
  const following = followLines(file, 0, (line) => seen.push(line), end.signal);
  const hasSeen = (...lines: string[]) => vi.waitFor(() => expect(seen).toEqual(lines), { timeout: 10_000 });

  await writeFile(file, 'one\n');
  await hasSeen('one');
  await appendFile(file, 'tw');
  await appendFile(file, 'o\n');
  await hasSeen('one', 'two');
  await appendFile(file, 'three\n');
  await rename(file, join(directory, 'kimi-20261120-090000-001.log'));
  await writeFile(file, 'four\n');
  await hasSeen('one', 'two', 'three', 'four');
  end.abort();
  await following;
});

test('following goes on from the beginning of a file that was emptied', async () => {
  const seen: string[] = [];
  const end = new AbortController();
  await writeFile(file, 'one long line\n');
  const following = followLines(file, 0, (line) => seen.push(line), end.signal);
  await vi.waitFor(() => expect(seen).toEqual(['one long line']), { timeout: 10_000 });
  await writeFile(file, 'two\n');
  await vi.waitFor(() => expect(seen).toEqual(['one long line', 'two']), { timeout: 10_000 });
  end.abort();
  await following;
});

test('following begins where the tail has ended, in the middle of a line if need be', async () => {
  await writeFile(file, 'old\nhalf a');
  const { end: offset } = await readTail(file, 5);
  await appendFile(file, ' line\n');
  const seen: string[] = [];
  const end = new AbortController();
  const following = followLines(file, offset, (line) => seen.push(line), end.signal);
  await vi.waitFor(() => expect(seen).toEqual(['half a line']), { timeout: 10_000 });
  end.abort();
  await following;
});

describe('a readable line', () => {
  const time = new Date('2026-11-20T09:00:00Z').toLocaleString('sv-SE');
  const request = {
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

  test('of a request', () => {
    expect(readableLine(JSON.stringify(request))).toBe(
      `${time}  200  claude-opus-4-6 -> kimi-k2.5  tokens 1200 in + 1000 cached, 340 out  first 0.8 s, 3.4 s`,
    );
  });

  test('of a request that failed', () => {
    const failed = {
      ...request,
      status: 429,
      outcome: 'error',
      error_type: 'rate_limit_error',
      error_message: 'slow down',
    };
    expect(readableLine(JSON.stringify(failed))).toContain('429  claude-opus-4-6 -> kimi-k2.5');
    expect(readableLine(JSON.stringify(failed))).toMatch(/error: rate_limit_error: slow down$/);
  });

  test('of a message, with its further fields', () => {
    const message = { level: 'warn', time: request.time, instance: 'kimi', message: 'slow disk', drops: 3, path: '/x' };
    expect(readableLine(JSON.stringify(message))).toBe(`${time}  warn slow disk drops=3 path=/x`);
  });

  test('cannot steer the terminal, whatever it is', () => {
    expect(readableLine('\u001b[2Jplain \u202e text')).toBe('\\x1b[2Jplain \\u202e text');
    const message = { level: 'info', message: 'a\u001b]0;title\u0007b', 'evil\u001b': 'x' };
    expect(readableLine(JSON.stringify(message))).not.toMatch(/\p{Cc}/u);
  });

  test('sorts by its time', () => {
    expect(timeOfLine(JSON.stringify(request))).toBe(request.time);
    expect(timeOfLine('not JSON')).toBe('');
  });
});
