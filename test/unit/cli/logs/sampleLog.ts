import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { type OpenLog, openLog } from '../../../../src/cli/logs/logFiles.ts';

/** A line of a log: number and time go up together, one second per number. */
export function sampleLine(number: number, fields: Record<string, unknown> = {}): string {
  const time = new Date(Date.UTC(2026, 10, 20, 9) + number * 1000).toISOString();
  return JSON.stringify({ time, level: 'info', instance: 'kimi', message: `line ${number}`, ...fields });
}

export const sampleLines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_line, index) => sampleLine(from + index));

export function writeLines(path: string, lines: readonly string[]): void {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
}

/** What the log's maintenance does with a rotated file. */
export function compress(path: string): void {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  rmSync(path);
}

/** A path for the file that was rotated as the given one. */
export const rotatedPath = (directory: string, index: number, instance = 'kimi') =>
  join(directory, `${instance}-20261120-0900${String(index).padStart(2, '0')}-001.log`);

/** Opens the log of a folder whose files were written by the above; closed when the test ends. */
export async function openSampleLog(directory: string, instance = 'kimi'): Promise<OpenLog> {
  const log = await openLog(directory, instance);
  onTestFinished(() => log.active?.close());
  return log;
}

export const namesOf = (paths: readonly string[]) => paths.map((path) => basename(path));

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
