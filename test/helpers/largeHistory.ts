import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sqlite from 'node:sqlite';
import { localDay } from '../../src/core/clock.ts';
import { UsageFile } from '../../src/telemetry/usage/file.ts';
import { sampleRow } from './usageRow.ts';

/** A year of an instance that is used a lot: the same for the same numbers. */
const MODELS = ['acme-2', 'acme-2-mini', 'other-large', 'other-small', 'local-7b'];
const PROVIDERS = ['acme', 'acme', 'other', 'other', 'local'];
const PROJECTS = ['/home/me/api', '/home/me/web', '/home/me/notes'];
const DAY_MS = 86_400_000;

/** Writes a usage file of so many rows, spread over the days before `now`; the last of them is the latest. */
export function writeUsageHistory(path: string, rows: number, days: number, now: number): void {
  const file = new UsageFile(sqlite, path);
  const step = (days * DAY_MS) / rows;
  for (let from = 0; from < rows; from += 20_000) {
    file.write(
      Array.from({ length: Math.min(20_000, rows - from) }, (_, offset) => {
        const index = from + offset;
        const time = Math.round(now - (rows - 1 - index) * step);
        const session = Math.floor(index / 150);
        return sampleRow({
          time,
          day: localDay(time),
          id: `req_${index.toString(16).padStart(24, '0')}`,
          provider: PROVIDERS[index % 5] ?? '',
          used_model: MODELS[index % 5] ?? '',
          session: session.toString(16).padStart(16, '0'),
          session_id: `00000000-0000-4000-8000-${session.toString(16).padStart(12, '0')}`,
          project: PROJECTS[session % 3] ?? '',
          agent: index % 7 === 0 ? 1 : 0,
          outcome: index % 53 === 0 ? 'error' : 'ok',
          status: index % 53 === 0 ? 529 : 200,
          input_tokens: 500 + (index % 900),
          output_tokens: index % 1200,
          cache_read_tokens: 10_000 + (index % 40_000),
          cost: index % 5 === 4 ? null : (index % 100) / 1000,
          duration_ms: 1000 + (index % 20_000),
          first_event_ms: 200 + (index % 1500),
        });
      }),
    );
  }
  file.close();
}

/** The line of one request in the log. */
export function requestLine(instance: string, index: number, time: number): string {
  const isFailed = index % 53 === 0;
  return JSON.stringify({
    time: new Date(time).toISOString(),
    level: isFailed ? 'warn' : 'info',
    event: 'request',
    id: `req_${index.toString(16).padStart(24, '0')}`,
    instance,
    endpoint: '/v1/messages',
    tier: 'big',
    model: 'claude-opus-5',
    upstream_model: MODELS[index % 5],
    provider: PROVIDERS[index % 5],
    protocol: 'chat',
    stream: true,
    status: isFailed ? 529 : 200,
    outcome: isFailed ? 'error' : 'ok',
    ...(isFailed
      ? { error_type: 'overloaded_error', error_message: `[${instance} 503] server ${index} is overloaded` }
      : {}),
    input_tokens: 500 + (index % 900),
    cache_read_tokens: 10_000 + (index % 40_000),
    cache_creation_tokens: 0,
    output_tokens: index % 1200,
    cost: (index % 100) / 1000,
    stop_reason: 'end_turn',
    first_event_ms: 200 + (index % 1500),
    duration_ms: 1000 + (index % 20_000),
    attempts: isFailed ? 3 : 1,
    upstream_request_id: `chatcmpl-${index}`,
    session: Math.floor(index / 150)
      .toString(16)
      .padStart(16, '0'),
    intent: 'chat',
    client_version: '2.1.10',
    request_bytes: 120_000 + index,
    notes: ['cache_control_dropped', 'tool_choice_auto'],
  });
}

/** Writes logs of about so many bytes into the folder of an instance, rotated at `fileBytes`; gives the number of requests. */
export function writeLogHistory(
  directory: string,
  instance: string,
  bytes: number,
  fileBytes: number,
  now: number,
): number {
  mkdirSync(directory, { recursive: true });
  const count = Math.round(bytes / Buffer.byteLength(`${requestLine(instance, 123_456, now)}\n`));
  const files = Math.max(1, Math.round(bytes / fileBytes));
  const each = Math.ceil(count / files);
  for (let file = 0; file < files; file += 1) {
    const first = file * each;
    const last = Math.min(count, first + each);
    const lines = Array.from({ length: last - first }, (_, index) =>
      requestLine(instance, first + index, now - (count - first - index) * 100),
    );
    const stamp = new Date(now - (files - file) * 1000)
      .toISOString()
      .slice(0, 19)
      .replaceAll(/[-:]/g, '')
      .replace('T', '-');
    const name = file === files - 1 ? `${instance}.log` : `${instance}-${stamp}-001.log`;
    writeFileSync(join(directory, name), `${lines.join('\n')}\n`);
    const lastAt = (now - (count - last) * 100) / 1000;
    utimesSync(join(directory, name), lastAt, lastAt);
  }
  return count;
}
