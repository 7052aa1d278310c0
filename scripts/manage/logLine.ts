import { asNumber, asString, type JsonObject } from '../../src/core/json.ts';
import { formatDuration } from '../../src/core/text.ts';

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

/** What a record of an instance's log says to people, without its time. Not yet harmless for the terminal. */
export function describeRecord(record: JsonObject): string {
  return record['event'] === 'request' ? describeRequest(record) : describeMessage(record);
}
