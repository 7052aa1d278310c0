import type { Diagnostics } from '../diagnostics.ts';

/** One assignment of an env file. */
export interface EnvEntry {
  readonly name: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
  /** Written in single quotes, which keep `${...}` as it stands, as in a shell. */
  readonly literal: boolean;
}

/** dotenv's `parse`, handed in so that only one file knows the package. */
export type ParseAssignments = (text: string) => Record<string, string>;

const ASSIGNMENT = /^\s*(?:export\s+)?(?<name>[\w.-]+)(?:\s*=|:\s)(?<value>.*)$/;
const BLANK_OR_COMMENT = /^\s*(?:#.*)?$/;
/** dotenv begins a comment at any `#` of an unquoted value, also inside a word. */
const CUT_BY_COMMENT = /^[^#]*[^\s#]#|^#\S/;

/** The quotes of word processors and chats at an end of a value, which no shell and no env file knows. */
const TYPOGRAPHIC_QUOTE = /^[\u2018-\u201f\u00ab\u2039]|[\u2018-\u201f\u00bb\u203a]$/;

/** Whether a value begins or ends with quotes of a word processor, which were meant to be plain ones. */
export function hasTypographicQuotes(value: string): boolean {
  return TYPOGRAPHIC_QUOTE.test(value);
}

/** Everything below the blank but tab and line feed, and DEL. */
function isControl(letter: string): boolean {
  return (letter < ' ' && letter !== '\t' && letter !== '\n') || letter === '\x7f';
}

function closesQuote(text: string, quote: string): boolean {
  return new RegExp(`^\\s*${quote}(?:\\\\${quote}|[^${quote}])*${quote}\\s*(?:#.*)?$`).test(text);
}

/** How many lines the assignment takes that begins at `start`: more than one when its quotes close further down. */
function countLines(lines: readonly string[], start: number, value: string): number {
  const quote = /^\s*(['"`])/.exec(value)?.[1];
  if (quote === undefined || closesQuote(value, quote)) return 1;
  let text = value;
  for (const [offset, line] of lines.slice(start + 1).entries()) {
    text += `\n${line}`;
    if (line.includes(quote) && closesQuote(text, quote)) return offset + 2;
  }
  return 1;
}

/** Lines of an env file that belong together: an assignment, or one line that is none. */
export interface EnvLines {
  /** Of the first line, from 0 on. */
  readonly index: number;
  readonly count: number;
  readonly first: string;
  /** Undefined where it is no assignment. */
  readonly name: string | undefined;
  /** What stands in the first line behind the sign. */
  readonly written: string;
}

/** Parts the lines of an env file into assignments and others. */
export function* splitAssignments(lines: readonly string[]): Generator<EnvLines> {
  for (let index = 0; index < lines.length; ) {
    const first = lines[index] ?? '';
    const groups = ASSIGNMENT.exec(first)?.groups;
    const written = groups?.['value'] ?? '';
    const count = countLines(lines, index, written);
    yield { index, count, first, name: groups?.['name'], written };
    index += count;
  }
}

/**
 * Reads env text: what dotenv reads, and in addition the line of each assignment and whatever dotenv passes over in
 * silence: names given twice, a `#` that cuts a value, quotes that do not close, control characters, stray lines.
 * Values are never part of a problem.
 */
export function parseEnvText(
  text: string,
  parse: ParseAssignments,
  diagnostics: Diagnostics,
): ReadonlyMap<string, EnvEntry> {
  const entries = new Map<string, EnvEntry>();
  const lines = text.split(/\r\n|\r|\n/);
  for (const { index: start, count, first, name, written } of splitAssignments(lines)) {
    const value = name === undefined ? undefined : parse(lines.slice(start, start + count).join('\n'))[name];
    if (name === undefined || typeof value !== 'string') {
      if (!BLANK_OR_COMMENT.test(first))
        diagnostics.error(
          { name: name ?? 'line', line: start + 1 },
          'a line that is neither KEY=value nor a comment',
          'Write it as KEY=value, or put # in front.',
        );
      continue;
    }
    const entry: EnvEntry = { name, value, line: start + 1, literal: /^\s*'/.test(written) };
    inspectEntry(entry, written, diagnostics);
    const earlier = entries.get(name);
    if (earlier !== undefined)
      diagnostics.warning(
        entry,
        `a second ${name}, after line ${earlier.line}`,
        `Keep one of them; line ${entry.line} is used.`,
      );
    entries.set(name, entry);
  }
  return entries;
}

function inspectEntry(entry: EnvEntry, written: string, diagnostics: Diagnostics): void {
  const quote = /^\s*(['"`])/.exec(written)?.[1];
  if (quote !== undefined && entry.value.startsWith(quote))
    diagnostics.error(
      entry,
      `a value whose quotes (${quote}) do not close at its end`,
      'Close the quotes, or remove them.',
    );
  else if (quote === undefined && hasTypographicQuotes(entry.value))
    diagnostics.error(
      entry,
      'a value in typographic quotes, which would be part of it',
      'Write plain quotes (") or none.',
    );
  else if (quote === undefined && CUT_BY_COMMENT.test(written.trim()))
    diagnostics.warning(
      entry,
      'a # inside the value: everything from it on is a comment',
      `Put the value in quotes: ${entry.name}="...#..."; or put a blank before the # of a comment.`,
    );
  if ([...entry.value].some(isControl))
    diagnostics.error(entry, 'a control character in the value', 'Type the value anew, as plain text.');
}
