import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

/** What is reached, and not to be lost: a change that exceeds it says why the request needs more. */
const LIMITS = {
  // Both of OpenAI’s APIs are written through one form of a conversation, and in steps, so that a long one holds up nobody. Answers are
  // read by turns, so that many at once hold up nobody either.
  request: { files: 80, functions: 440 },
  reload: { files: 45 },
  // WEB_SEARCH is checked like every setting, against the table of search APIs: two files and the one that declares settings.
  // The file of clients with tokens of their own is read like the others beside the env file.
  status: { files: 66 },
};

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const TIMEOUT_MS = 110_000;

interface TracedFile {
  readonly path: string;
  readonly functions: number;
}

interface Trace {
  readonly name: string;
  readonly files: number;
  readonly functions: number;
  readonly groups: readonly { readonly name: string; readonly files: readonly TracedFile[] }[];
}

let traces: readonly Trace[] = [];

beforeAll(async () => {
  const script = join(ROOT, 'scripts', 'trace.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--json'], { timeout: TIMEOUT_MS });
  traces = JSON.parse(stdout).traces;
});

function traceOf(name: string): Trace {
  const trace = traces.find((candidate) => candidate.name === name);
  if (trace === undefined) throw new Error(`no trace is named ${name}`);
  return trace;
}

test('a request, a reload and the manager enter no more files and functions than the limits', () => {
  const measured = Object.entries(LIMITS).map(([name, limit]) => [name, traceOf(name), limit] as const);
  const exceeded = measured.flatMap(([name, trace, limit]) =>
    Object.entries(limit)
      .map(([what, most]) => ({ what, most, count: trace[what as 'files' | 'functions'] }))
      .filter(({ count, most }) => count > most)
      .map(({ what, most, count }) => `${name}: ${count} ${what}, at most ${most}`),
  );
  expect(exceeded).toEqual([]);
});

test.each([
  ['request', 'src/server/app.ts'],
  ['request', 'src/instance.ts'],
  ['passThrough', 'src/server/app.ts'],
  ['reload', 'src/instance.ts'],
  ['start', 'scripts/manage.ts'],
  ['status', 'scripts/manage.ts'],
])('%s goes through %s', (name, path) => {
  const paths = traceOf(name).groups.flatMap(({ files }) => files.map((file) => file.path));
  expect(paths).toContain(path);
});

test('the sums are those of the groups', () => {
  for (const { files, functions, groups } of traces) {
    const all = groups.flatMap((group) => group.files);
    expect(new Set(all.map(({ path }) => path)).size).toBe(files);
    expect(all.reduce((sum, file) => sum + file.functions, 0)).toBe(functions);
  }
});

test('every stage of a request has a file', () => {
  expect(traceOf('request').groups.map(({ name }) => name)).toEqual([
    'accept and parse',
    'handle the request',
    'choose and translate',
    'ask the provider',
    'answer back',
    'end',
    'all the way',
  ]);
});
