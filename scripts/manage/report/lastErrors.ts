import { join } from 'node:path';
import { asNumber, asString, type Json, type JsonObject } from '../../../src/core/json.ts';
import { lastEntries } from '../logs/lastEntries.ts';
import { byTime } from '../logs/logEntry.ts';
import { openLogs } from '../logs/openLog.ts';

const MOST = 20;

/** Fields of a request's line that hold numbers and names. Its `error_message` quotes the provider, who may quote the user. */
const REQUEST_FIELDS = [
  'time',
  'endpoint',
  'tier',
  'model',
  'upstream_model',
  'provider',
  'stream',
  'status',
  'outcome',
  'error_type',
  'input_tokens',
  'output_tokens',
  'first_event_ms',
  'duration_ms',
  'attempts',
  'client_version',
  'request_bytes',
  'notes',
];

function pick(record: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.flatMap((field): [string, Json][] => {
      const value = record[field];
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

/** Where in our code it happened; the first line of a stack says what, and may quote what it failed on. */
function framesOf(reason: string | undefined): JsonObject {
  const frames = reason?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return frames.length === 0 ? {} : { frames: frames.map((line) => line.trim()) };
}

function describeTrouble(record: JsonObject): JsonObject {
  if (record['event'] === 'request') return pick(record, REQUEST_FIELDS);
  // The words of such a line are our own; what stands in its other fields is not always.
  const status = asNumber(record['status']);
  return {
    ...pick(record, ['time', 'level', 'message']),
    ...(status === undefined ? {} : { status }),
    ...framesOf(asString(record['reason'])),
  };
}

/** The last errors of an instance's log by their kind, without any text of a client or a provider. */
export async function readLastErrors(logDirectory: string, instance: string): Promise<JsonObject[]> {
  const logs = await openLogs(join(logDirectory, instance), instance);
  try {
    const filter = { errorsOnly: true, since: undefined };
    const entries = (await Promise.all(logs.map((log) => lastEntries(log, MOST, filter)))).flat().sort(byTime);
    return entries.slice(-MOST).flatMap(({ record }) => (record === undefined ? [] : [describeTrouble(record)]));
  } finally {
    await Promise.all(logs.map((log) => log.active?.close()));
  }
}
