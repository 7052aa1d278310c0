import { asNumber, asString, type JsonObject } from '../../core/json.ts';
import { formatDuration, terminalSafe } from '../../core/text.ts';
import { sanitizeJsonLine } from '../../telemetry/logger.ts';
import { type Colour, localTime, type Output } from '../terminal/output.ts';
import { isTrouble, type LogEntry } from './logEntries.ts';

/** Fields that the readable line shows already, or that mean nothing to a reader. */
const SHOWN_ELSEWHERE = new Set(['time', 'level', 'instance', 'message', 'event', 'pid', 'hostname']);

function duration(value: unknown): string | undefined {
  const milliseconds = asNumber(value);
  return milliseconds === undefined ? undefined : formatDuration(milliseconds);
}

function describeTokens(record: JsonObject): string | undefined {
  const input = asNumber(record['input_tokens']);
  const output = asNumber(record['output_tokens']);
  if (input === undefined && output === undefined) return undefined;
  const cached = asNumber(record['cache_read_tokens']);
  return `tokens ${input ?? 0} in${cached ? ` + ${cached} cached` : ''}, ${output ?? 0} out`;
}

function describeRequest(record: JsonObject): string {
  const model = asString(record['model']);
  const upstream = asString(record['upstream_model']);
  const first = duration(record['first_event_ms']);
  const outcome = asString(record['outcome']);
  const trouble = [outcome, asString(record['error_type']), asString(record['error_message'])];
  const parts = [
    String(asNumber(record['status']) ?? '---'),
    model === undefined ? asString(record['endpoint']) : `${model}${upstream ? ` -> ${upstream}` : ''}`,
    describeTokens(record),
    [first && `first ${first}`, duration(record['duration_ms'])].filter(Boolean).join(', '),
    outcome === 'ok' ? undefined : trouble.filter(Boolean).join(': '),
  ];
  return parts.filter(Boolean).join('  ');
}

function describeMessage(record: JsonObject): string {
  const fields = Object.entries(record).filter(([name]) => !SHOWN_ELSEWHERE.has(name));
  const details = fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [asString(record['level']), asString(record['message']), ...details].filter(Boolean).join(' ');
}

/** A record of an instance's log in words, without its time. Not yet harmless for the terminal. */
export function describeRecord(record: JsonObject): string {
  return record['event'] === 'request' ? describeRequest(record) : describeMessage(record);
}

/** Levels that are worth a colour; a request that was refused before a provider was asked has none of its own. */
const COLOURS: Readonly<Record<string, Colour>> = { error: 'red', fatal: 'red', warn: 'yellow', info: 'yellow' };

function colourOf(entry: LogEntry): Colour | undefined {
  const { record } = entry;
  if (!isTrouble(entry)) return undefined;
  return record?.['event'] === 'request' && record['level'] !== 'info'
    ? 'red'
    : COLOURS[asString(record?.['level']) ?? ''];
}

/** A line for people; one that is not ours is shown as it is, harmless for the terminal. */
export function readableEntry(entry: LogEntry, paint: Output['paint']): string {
  const { record, line } = entry;
  if (record === undefined) return terminalSafe(line);
  const text = terminalSafe(describeRecord(record));
  const colour = colourOf(entry);
  return `${paint('gray', localTime(asString(record['time'])))}  ${colour === undefined ? text : paint(colour, text)}`;
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
