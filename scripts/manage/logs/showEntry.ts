import { asString } from '../../../src/core/json.ts';
import { terminalSafe } from '../../../src/core/text.ts';
import { sealJsonLine } from '../../../src/telemetry/logger.ts';
import { describeRecord, localTime } from '../logLine.ts';
import type { Colour, Output } from '../output.ts';
import { isTrouble, type LogEntry } from './logEntry.ts';

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
  return sealJsonLine(record === undefined ? JSON.stringify({ instance, message: line }) : line, (text) => text);
}
