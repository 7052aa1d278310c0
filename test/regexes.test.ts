import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, test } from 'vitest';

/**
 * Every regular expression of the sources is in regexes.txt, with a origin: `own` where it meets only the project's and the user's own
 * words (settings, files, this machine), or `foreign` and the most letters of a provider, client or tool that it can meet. A new one fails
 * here until somebody has thought about that. Those that meet foreign words must take time in proportion to them, which is tried.
 */
const ROOT = join(import.meta.dirname, '..');

interface Reviewed {
  readonly origin: string;
  readonly line: string;
  readonly isForeign: boolean;
  /** Most letters that it meets; Infinity where nothing bounds them. */
  readonly limit: number;
  readonly source: string;
}

function readList(): Reviewed[] {
  const lines = readFileSync(join(import.meta.dirname, 'regexes.txt'), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => {
      const [origin = '', file = '', ...rest] = line.split(' ');
      const [kind, limit] = origin.split(':');
      return {
        origin,
        line: `${file} ${rest.join(' ')}`,
        isForeign: kind === 'foreign',
        limit: limit === undefined || limit === 'any' ? Number.POSITIVE_INFINITY : Number(limit),
        source: rest.join(' '),
      };
    });
}

interface Found {
  readonly line: string;
  readonly source: string;
}

/** All literals of a file, and what is given to RegExp. */
function findRegexes(file: string, text: string): Found[] {
  const found = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, regex, callee, start, end } = node as Record<string, unknown>;
    if (type === 'Literal' && regex) {
      const { pattern, flags } = regex as { readonly pattern: string; readonly flags: string };
      found.add(`/${pattern}/${flags}`);
    }
    const isCall = type === 'NewExpression' || type === 'CallExpression';
    if (isCall && (callee as { name?: string }).name === 'RegExp')
      found.add(text.slice(Number(start), Number(end)).replaceAll(/\s+/g, ' '));
    for (const child of Object.values(node)) walk(child);
  };
  const lang = file.endsWith('.cjs') ? 'js' : file.endsWith('.tsx') ? 'tsx' : 'ts';
  walk(parseAst(text, { lang }, file));
  return [...found].map((source) => ({ line: `${file} ${source}`, source }));
}

const reviewed = readList();

test('each regular expression of the sources has been reviewed (else: put it into regexes.txt with its origin)', () => {
  const files = globSync('src/**/*.{ts,tsx,cjs}', { cwd: ROOT }).map((file) => file.replaceAll('\\', '/'));
  const found = files.sort().flatMap((file) => findRegexes(file, readFileSync(join(ROOT, file), 'utf8')));
  expect(found.length).toBeGreaterThan(200);
  const known = new Set(reviewed.map(({ line }) => line));
  const present = new Set(found.map(({ line }) => line));
  // One that has moved to another file keeps its origin, if the words there are no others.
  const origins = new Map(reviewed.map(({ source, origin }) => [source, origin]));
  const missing = found.filter(({ line }) => !known.has(line));
  expect(missing.map(({ line, source }) => `${origins.get(source) ?? 'ORIGIN'} ${line}`)).toEqual([]);
  const gone = reviewed.filter(({ line }) => !present.has(line));
  expect(gone.map(({ line, origin }) => `${origin} ${line}`)).toEqual([]);
});

/** What is repeated to make an expression look at the same letters again and again: letters of all kinds, and its own words. */
const LETTERS = [...' aA1-_.,;:"\'`<>[{(/\\\n\r\t=+%é\u202e', '😀'];

function attackPieces(source: string): string[] {
  const words = source
    .replaceAll(/\\[bBdDwWsS]|\\u\{?[0-9a-f]+\}?|\\x[0-9a-f]{2}|\(\?(?:<[a-zA-Z]+>|<?[=!:])/g, '\0')
    .replaceAll(/\\(\W)/g, '$1')
    .split(/[\0()[\]{}|?*+^$]+/)
    .filter((word) => word !== '');
  const begun = words.flatMap((word) => [word, ...LETTERS.map((letter) => word + letter)]);
  return [...new Set([...LETTERS, ...begun, words.join(''), words.join(' '), words.join('1')])];
}

/** The shortest of several times, in ms. */
function shortest(regex: RegExp, text: string, tries: number): number {
  const times = Array.from({ length: tries }, () => {
    const start = performance.now();
    text.replace(regex, '');
    return performance.now() - start;
  });
  return Math.min(...times);
}

/** One run in µs of this thread's processor, which does not depend on what else the machine does; over 8 ms, as that clock is coarse. */
function cost(regex: RegExp, text: string): number {
  const before = process.threadCpuUsage();
  for (let runs = 1; ; runs += 1) {
    text.replace(regex, '');
    const { user, system } = process.threadCpuUsage(before);
    if (user + system > 8000) return (user + system) / runs;
  }
}

const REFERENCE = /[a-z]{3}\d[A-Z]{3}!/g;
const SIZE = 3000;
const FACTOR = 4;

/**
 * How many times as long a text of four times the size takes; 1 where it takes hardly longer than an expression that is known to be linear.
 */
function growth(regex: RegExp, piece: string, end: string, size: number): number {
  const textOf = (letters: number) => piece.repeat(Math.ceil(letters / piece.length)) + end;
  const [short, long] = [textOf(size), textOf(FACTOR * size)];
  // The reference has more tries, as a pause in its only one would make anything look quick.
  const isQuick = (tries: number) => shortest(regex, long, tries) < 50 * shortest(REFERENCE, long, 5);
  if (isQuick(1) || isQuick(5)) return 1;
  // In turn, as a processor that others share may be twice as fast a moment later.
  const costs = Array.from({ length: 3 }, () => ({ long: cost(regex, long), short: cost(regex, short) }));
  return Math.min(...costs.map((one) => one.long)) / Math.min(...costs.map((one) => one.short));
}

/** Four times the length takes four times the time; work by the square of the length would take sixteen times as long. */
const MOST_GROWTH = 9;

function parseLiteral(source: string): RegExp {
  const end = source.lastIndexOf('/');
  return new RegExp(source.slice(1, end), source.slice(end + 1));
}

function slowestPiece(source: string, limit: number): { piece: string; ratio: number } {
  const regex = parseLiteral(source);
  const size = Math.min(SIZE, Math.floor(limit / FACTOR));
  let slowest = { piece: '', ratio: 1 };
  for (const piece of attackPieces(source)) {
    for (const end of ['', '\nx']) {
      const ratio = growth(regex, piece, end, size);
      if (ratio > slowest.ratio) slowest = { piece: piece + end, ratio };
    }
  }
  return slowest;
}

describe('what meets foreign words takes time in proportion to them', () => {
  const foreign = reviewed.filter(({ isForeign, source }) => isForeign && source.startsWith('/'));
  test.each(foreign.map(({ line, source, limit }) => [line, source, limit] as const))('%s', (_line, source, limit) => {
    const { piece, ratio } = slowestPiece(source, limit);
    expect(ratio, `on many ${JSON.stringify(piece)}`).toBeLessThan(MOST_GROWTH);
  });
});

test.each([
  ['/<title[^>]*>([^<]*)<\\/title>/i', '<title'],
  ['/([\\d,]+) tokens >/', '1'],
  ['/\\beyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_.-]+/', 'eyJ0123456789-'],
])('%s, which takes time by the square, is found out', (source, piece) => {
  expect(growth(parseLiteral(source), piece, '', SIZE)).toBeGreaterThanOrEqual(MOST_GROWTH);
});
