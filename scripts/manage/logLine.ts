import { asNumber, asString, type JsonObject, parseObject } from '../../src/core/json.ts';
import { formatDuration } from './format.ts';
import { terminalSafe } from './terminalSafe.ts';

/** Fields that the readable line already says, or that say nothing to a reader. */
const SAID = new Set(['time', 'level', 'instance', 'message', 'event', 'pid', 'hostname']);

/** A time as the people of this machine read it, YYYY-MM-DD HH:MM:SS. */
export function localTime(iso: string | undefined): string {
  const time = new Date(iso ?? Number.NaN);
  // The Swedish way to write a date is the ISO one, in local time.
  return Number.isNaN(time.getTime()) ? '-'.padEnd(19) : time.toLocaleString('sv-SE');
}

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
  const fields = Object.entries(record).filter(([name]) => !SAID.has(name));
  const details = fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [asString(record['level']), asString(record['message']), ...details].filter(Boolean).join(' ');
}

/** A line of an instance's log for people; a line that is not ours is shown as it is, harmless for the terminal. */
export function readableLine(line: string): string {
  const record = parseObject(line);
  if (record === undefined) return terminalSafe(line);
  const text = record['event'] === 'request' ? describeRequest(record) : describeMessage(record);
  return terminalSafe(`${localTime(asString(record['time']))}  ${text}`);
}

/** When a line was written, as text that sorts by time; empty when it does not say. */
export function timeOfLine(line: string): string {
  return asString(parseObject(line)?.['time']) ?? '';
}
