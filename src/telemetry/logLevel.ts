export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  fatal: 'fatal',
};

/**
 * Reads LOG_LEVEL as the earlier systems did: their names (DEBUG INFO WARNING ERROR CRITICAL) or ours, in any case, and
 * only the first word, since files say `INFO  # comment`. Undefined when it is no level.
 */
export function parseLogLevel(text: string): LogLevel | undefined {
  const word = text.trim().split(/\s/)[0]?.toLowerCase() ?? '';
  return Object.hasOwn(LEVELS, word) ? LEVELS[word] : undefined;
}
