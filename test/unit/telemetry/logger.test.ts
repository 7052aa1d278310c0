import { expect, test } from 'vitest';
import { createLogger, type Logger, type LogLevel } from '../../../src/telemetry/logger.ts';
import { CapturedOutput } from '../../helpers/captureOutput.ts';

const NOW = Date.UTC(2026, 10, 20, 8, 54, 3, 217);
const TIME = '2026-11-20T08:54:03.217Z';
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

function createTestLogger(level: LogLevel): {
  logger: Logger;
  file: string[];
  printed: () => string;
  stdout: CapturedOutput;
} {
  const file: string[] = [];
  const stdout = new CapturedOutput();
  const logger = createLogger({
    instance: 'kimi',
    level,
    log: { write: (line) => file.push(line) },
    redact: (text) => text.replaceAll('hidden', '****'),
    stdout,
    clock: { now: () => NOW, monotonic: () => 0 },
  });
  return { logger, file, printed: () => stdout.text, stdout };
}

test('a message is one line of JSON with time, level, instance and fields, and nothing of the machine', () => {
  const { logger, file, printed } = createTestLogger('info');
  logger.info('took %d hidden "steps"', { count: 2, where: 'a hidden place' });
  expect(file.map((line) => JSON.parse(line))).toEqual([
    { level: 'info', time: TIME, instance: 'kimi', count: 2, where: 'a **** place', message: 'took %d **** "steps"' },
  ]);
  expect(printed()).toBe('');
});

test('a field without a value is not printed', () => {
  const { logger, printed } = createTestLogger('info');
  logger.warn('failed', { at: undefined, reason: 'it took too long' });
  expect(printed()).toBe(`${TIME} warn kimi: failed reason=it took too long\n`);
});

test.each(LEVELS)('at level %s the file has that and what is graver', (level) => {
  const { logger, file } = createTestLogger(level);
  for (const name of LEVELS) logger[name](`a ${name}`);
  const levels: string[] = file.map((line) => JSON.parse(line).level);
  expect(levels).toEqual(LEVELS.slice(LEVELS.indexOf(level)));
});

test('warnings and worse are printed as a short line too', () => {
  const { logger, printed } = createTestLogger('info');
  logger.info('quiet');
  logger.warn('PORT is odd', { file: 'envs/kimi.env', line: 3, hints: ['hidden'] });
  logger.error('bad\nthing');
  logger.fatal('end');
  expect(printed().split('\n')).toEqual([
    `${TIME} warn kimi: PORT is odd file=envs/kimi.env line=3 hints=["****"]`,
    `${TIME} error kimi: bad\\u000athing`,
    `${TIME} fatal kimi: end`,
    '',
  ]);
});

test('with a view, stdout reads as it says, requests included, and the file stays as it is', () => {
  const file: string[] = [];
  const stdout = new CapturedOutput();
  const logger = createLogger({
    instance: 'kimi',
    level: 'info',
    log: { write: (line) => file.push(line) },
    redact: (text) => text,
    stdout,
    view: {
      summary: () => [],
      message: (time, label, text) => [`${time} ${label}`, text],
      request: (time, { id }) => `${time} ${id}`,
    },
    clock: { now: () => 7, monotonic: () => 0 },
  });
  logger.warn('odd', { count: 1 });
  logger.request({
    id: 'req_1',
    endpoint: '/v1/messages',
    provider: 'kimi',
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: 1,
  });
  expect(stdout.text).toBe('7 warn\nodd count=1\n7 req_1\n');
  expect(file.map((line) => JSON.parse(line).level)).toEqual(['warn', 'info']);
});

test('a stdout that nobody reads does not fill the memory', () => {
  let written = 0;
  const stdout = Object.assign(new CapturedOutput(), {
    write: (text: string) => {
      written += text.length;
      return false;
    },
  });
  Object.defineProperty(stdout, 'writableLength', { get: () => written });
  const logger = createLogger({
    instance: 'kimi',
    level: 'info',
    log: { write: () => {} },
    redact: (text) => text,
    stdout,
    clock: { now: () => 7, monotonic: () => 0 },
  });
  for (let line = 0; line < 2000; line += 1) logger.warn('x'.repeat(1000));
  expect(written).toBeGreaterThan(900_000);
  expect(written).toBeLessThan(1_100_000);
});

test('a warning below the level is neither written nor printed', () => {
  const { logger, file, printed } = createTestLogger('error');
  logger.warn('unheard');
  expect([file, printed()]).toEqual([[], '']);
});

test('lifecycle lines are written and printed at any level', () => {
  const { logger, file, printed } = createTestLogger('fatal');
  logger.lifecycle('listening', { port: 8081 });
  expect(JSON.parse(file[0] ?? '')).toMatchObject({
    event: 'lifecycle',
    level: 'info',
    message: 'listening',
    port: 8081,
  });
  expect(printed()).toBe(`${TIME} info kimi: listening port=8081\n`);
});

test('a request is written at any level and never printed', () => {
  const { logger, file, printed } = createTestLogger('fatal');
  logger.request({
    id: 'req_1',
    endpoint: '/v1/messages',
    provider: 'demo',
    stream: false,
    status: 502,
    outcome: 'error',
    errorMessage: 'a hidden "cause"',
    durationMs: 1,
  });
  expect(JSON.parse(file[0] ?? '')).toMatchObject({ event: 'request', time: TIME, error_message: 'a **** "cause"' });
  expect([file.length, printed()]).toEqual([1, '']);
});

test('trouble with the log file is printed, and not written into it', () => {
  const { logger, file, printed } = createTestLogger('info');
  logger.logProblem({ kind: 'failing', message: 'log lines are being dropped: ENOSPC' });
  logger.logProblem({ kind: 'recovered', message: 'logging is back' });
  expect(printed()).toBe(
    `${TIME} warn kimi: log lines are being dropped: ENOSPC\n${TIME} info kimi: logging is back\n`,
  );
  expect(file).toEqual([]);
});

test('an error of stdout, as when its reader is gone, does no harm', () => {
  const { logger, stdout } = createTestLogger('info');
  stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  logger.warn('still here');
});

test('another level holds from then on', () => {
  const { logger, file } = createTestLogger('warn');
  logger.debug('before');
  logger.setLevel('debug');
  logger.debug('after');
  expect(file.map((line) => JSON.parse(line).message)).toEqual(['after']);
});
