import { asString, type JsonObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';
import { outcomeMark, requestSpans, type Span } from '../../telemetry/console/lines.ts';
import { sanitizeJsonLine } from '../../telemetry/logger.ts';
import { type RequestRecord, readRequest } from '../../telemetry/requestRecord.ts';
import { type Colour, localTime, type Output } from '../terminal/output.ts';
import type { LogEntry } from './logEntries.ts';

/** Fields that the readable line shows already, or that mean nothing to a reader. */
const SHOWN_ELSEWHERE = new Set(['time', 'level', 'instance', 'message', 'event', 'pid', 'hostname']);

function describeMessage(record: JsonObject): string {
  const fields = Object.entries(record).filter(([name]) => !SHOWN_ELSEWHERE.has(name));
  const details = fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [asString(record['level']), asString(record['message']), ...details].filter(Boolean).join(' ');
}

/** The colours of messages; what is no trouble has none. */
const COLOURS: Readonly<Record<string, Colour>> = { error: 'red', fatal: 'red', warn: 'yellow' };

const STYLES = { good: 'green', warning: 'yellow', bad: 'red', faint: 'gray', strong: 'bold' } as const;

/** A line for people, the same as on the console of the executable; one that is not ours is shown as it is, harmless for the terminal. */
export function readableEntry({ record, line }: LogEntry, paint: Output['paint']): string {
  if (record === undefined) return terminalSafe(line);
  const time = paint('gray', localTime(asString(record['time'])));
  if (record['event'] === 'request') return `${time}  ${describeRequest(readRequest(record), paint)}`;
  const text = terminalSafe(describeMessage(record));
  const colour = COLOURS[asString(record['level']) ?? ''];
  return `${time}  ${colour === undefined ? text : paint(colour, text)}`;
}

function describeRequest(record: RequestRecord, paint: Output['paint']): string {
  const id: Span = { text: terminalSafe(record.id), style: 'faint' };
  return [[outcomeMark(record)], ...requestSpans(record, terminalSafe), ...(record.id === '' ? [] : [[id]])]
    .map((spans) =>
      spans.map(({ text, style }) => (typeof style === 'string' ? paint(STYLES[style], text) : text)).join(''),
    )
    .join('  ');
}

/** A line for programs: as it is stored, and one that is not JSON inside of a record. */
export function jsonEntry({ record, line, instance }: LogEntry): string {
  return sanitizeJsonLine(record === undefined ? JSON.stringify({ instance, message: line }) : line, (text) => text);
}

/** Without red, yellow and gray, which mean something. */
const PALETTE: readonly Colour[] = [
  'cyan',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'greenBright',
  'magentaBright',
  'blueBright',
];

/**
 * A colour for each instance of the project: distinct as long as there are enough, and by the name, so that an instance keeps
 * its own when others come and go.
 */
export function instanceColours(names: readonly string[]): ReadonlyMap<string, Colour> {
  const free = new Set(PALETTE);
  const colours = new Map<string, Colour>();
  for (const name of [...names].sort()) {
    if (free.size === 0) for (const colour of PALETTE) free.add(colour);
    const wanted = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_537, 7);
    const order = PALETTE.map((_, index) => PALETTE[(wanted + index) % PALETTE.length]);
    const colour = order.find((candidate) => candidate !== undefined && free.has(candidate));
    if (colour === undefined) continue;
    free.delete(colour);
    colours.set(name, colour);
  }
  return colours;
}
