import { expect, test } from 'vitest';
import { parseLogLevel } from '../../../src/telemetry/logLevel.ts';

test.each([
  ['DEBUG', 'debug'],
  ['Info', 'info'],
  ['WARNING', 'warn'],
  ['warn', 'warn'],
  ['ERROR', 'error'],
  ['CRITICAL', 'fatal'],
  ['fatal', 'fatal'],
  ['trace', 'trace'],
  [' INFO  # the default', 'info'],
  ['', undefined],
  ['loud', undefined],
  ['constructor', undefined],
])('LOG_LEVEL %j is %s', (text, level) => {
  expect(parseLogLevel(text)).toBe(level);
});
