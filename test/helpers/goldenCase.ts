import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ResponseContext } from '../../src/translate/response/context.ts';
import { type ContextOptions, createResponseContext } from './responseContext.ts';

/** A golden case: a folder named after its rule, with what came in, what must come out, and settings if any. */
export interface GoldenCase {
  readonly name: string;
  readonly upstream: Buffer;
  readonly context: ResponseContext;
  /** The same context anew: one holds the state of one answer. */
  readonly createContext: () => ResponseContext;
  /** How the body ends: as it should, or with a broken connection. */
  readonly ending: 'end' | 'fail';
  readonly expectedFile: string;
}

/**
 * Reads the cases below a folder. The input is `upstream.txt`, the bytes as they are, or `upstream.json`: a list of
 * chunks, sent as events, or one body. `context.json` may hold `settings`, `tools`, `stopSequences`, `maxTokens` and
 * `ending`; for what a provider sends `preset`, `model` and `source`.
 */
export function readGoldenCases(folder: string, expectedName: string): GoldenCase[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const file = (suffix: string) => join(folder, name, suffix);
      const options = existsSync(file('context.json')) ? readJson(file('context.json')) : {};
      const { ending, ...rest } = options as ContextOptions & { ending?: 'end' | 'fail' };
      if (rest.preset !== undefined && !rest.source) throw new Error(`${name}: a preset's case must name its source`);
      return {
        name,
        upstream: existsSync(file('upstream.txt'))
          ? readFileSync(file('upstream.txt'))
          : fromJson(file('upstream.json')),
        context: createResponseContext(rest),
        createContext: () => createResponseContext(rest),
        ending: ending ?? 'end',
        expectedFile: file(expectedName),
      };
    });
}

/** Compares with the expected file; `UPDATE_GOLDEN=1` writes it anew, to be reviewed in the diff. */
export function expectGolden(file: string, actual: string): void {
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, actual);
  expect(actual).toBe(readFileSync(file, 'utf8'));
}

function fromJson(file: string): Buffer {
  const value = readJson(file);
  if (!Array.isArray(value)) return Buffer.from(JSON.stringify(value));
  const events = value.map((chunk: unknown) => (typeof chunk === 'string' ? chunk : JSON.stringify(chunk)));
  return Buffer.from(events.map((data) => `data: ${data}\n\n`).join(''));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
