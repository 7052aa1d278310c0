import { pino } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { redactBeginning } from '../core/secret.ts';
import type { ConsoleView } from './console/view.ts';
import type { LogProblem } from './log/queue.ts';
import type { RotatingLog } from './log/rotatingLog.ts';
import { type RequestRecord, serializeRequest } from './requestRecord.ts';

/** Control characters (C0, DEL, C1), marks that turn the reading direction, and the two line ends of Unicode. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * The last step of every JSON line on its way to the log: credentials are masked, and the characters that JSON
 * lets through but terminals and line readers act upon (DEL, C1, marks of direction, U+2028, U+2029) are escaped. The result is valid JSON.
 */
export function sanitizeJsonLine(line: string, redact: (text: string) => string): string {
  // Where escapes are, a mask over the raw text could miss a key or cut an escape in two: mask the values instead.
  const clean = line.includes('\\') ? JSON.stringify(redactValues(JSON.parse(line), redact)) : redact(line);
  return clean.replace(CONTROLS, escapeCharacter);
}

/** The same for a line of plain text meant for a terminal. */
export function sanitizePlainLine(line: string, redact: (text: string) => string): string {
  return redact(line).replace(CONTROLS, escapeCharacter);
}

function redactValues(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redactValues(item, redact));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redact(key), redactValues(item ?? null, redact)]),
  );
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export interface LoggerOptions {
  instance: string;
  /** Messages below it are not logged. It does not apply to request records and lifecycle lines. */
  level: LogLevel;
  log: Pick<RotatingLog, 'write'>;
  /** Masks credentials; everything passes it last. */
  redact: (text: string) => string;
  /** Where a person reads along, `pm2 logs` for instance. Its errors are ignored: a closed pipe must not end the process. */
  stdout: NodeJS.WritableStream & { readonly writableLength?: number };
  /** How stdout reads at a terminal, requests included; undefined for the plain lines. */
  view?: ConsoleView | undefined;
  clock: Clock;
}

export type LogFields = JsonObject;

/** A terminal that somebody has stopped must not fill the memory; in bytes. */
const MOST_UNREAD = 1_000_000;

/**
 * The log of one instance: a line of JSON per event in its rotating file, and for warnings, errors and lifecycle lines a
 * short line of plain text on stdout as well.
 */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** Start, listening, draining, stopped and the like: at any level. */
  lifecycle(message: string, fields?: LogFields): void;
  /** The one line per request. */
  request(record: RequestRecord): void;
  /** Messages below it are not logged from now on. */
  setLevel(level: LogLevel): void;
  /** A problem with the log file itself: on stdout only. */
  logProblem(problem: LogProblem): void;
}

/** Letters of a message or a field: the words of an error may be as long as an answer. */
const WORDS_LIMIT = 8000;

export function createLogger({ instance, level, log, redact, stdout, view, clock }: LoggerOptions): Logger {
  stdout.on('error', () => undefined);
  const time = (): string => new Date(clock.now()).toISOString();
  const sink = { write: (line: string) => log.write(sanitizeJsonLine(line.trimEnd(), redact)) };
  const bound = (words: string) => (words.length <= WORDS_LIMIT ? words : redactBeginning(words, WORDS_LIMIT, redact));
  const boundFields = (fields: Record<string, unknown>) =>
    Object.values(fields).some((value) => typeof value === 'string' && value.length > WORDS_LIMIT)
      ? Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? bound(value) : value]),
        )
      : fields;
  const settings = {
    base: { instance },
    messageKey: 'message',
    timestamp: () => `,"time":"${time()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: boundFields },
  };
  const file = pino({ ...settings, level }, sink);
  const lifecycleFile = pino({ ...settings, level: 'info' }, sink);

  function writeLines(lines: readonly string[]): void {
    if ((stdout.writableLength ?? 0) < MOST_UNREAD) stdout.write(`${lines.join('\n')}\n`);
  }

  function print(label: string, message: string, fields: LogFields = {}): void {
    const known = Object.entries(fields).filter(([, value]) => value !== undefined);
    const details = known.map(([name, value]) => ` ${name}=${bound(plain(value))}`);
    const text = `${bound(message)}${details.join('')}`;
    const lines = view?.message(clock.now(), label, text) ?? [
      sanitizePlainLine(`${time()} ${label} ${instance}: ${text}`, redact),
    ];
    writeLines(lines);
  }

  function logAt(label: LogLevel): (message: string, fields?: LogFields) => void {
    return (message, fields) => {
      file[label](fields ?? {}, bound(message));
    };
  }

  function logAndPrint(label: LogLevel): (message: string, fields?: LogFields) => void {
    return (message, fields) => {
      if (!file.isLevelEnabled(label)) return;
      file[label](fields ?? {}, bound(message));
      print(label, message, fields);
    };
  }

  return {
    trace: logAt('trace'),
    debug: logAt('debug'),
    info: logAt('info'),
    warn: logAndPrint('warn'),
    error: logAndPrint('error'),
    fatal: logAndPrint('fatal'),
    lifecycle(message, fields) {
      lifecycleFile.info({ event: 'lifecycle', ...fields }, message);
      print('info', message, fields);
    },
    request(record) {
      log.write(sanitizeJsonLine(serializeRequest(record, instance, clock.now(), redact), redact));
      if (view !== undefined) writeLines([view.request(clock.now(), record)]);
    },
    setLevel(next) {
      file.level = next;
    },
    logProblem({ kind, message }) {
      print(kind === 'recovered' ? 'info' : 'warn', message);
    },
  };
}

function plain(value: LogFields[string]): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
