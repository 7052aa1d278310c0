import { styleText } from 'node:util';
import { nearestName } from '../../core/text.ts';

/** Colours, and `bold`, by the names that `styleText` knows. */
export type Colour =
  | 'red'
  | 'green'
  | 'yellow'
  | 'gray'
  | 'bold'
  | 'blue'
  | 'cyan'
  | 'magenta'
  | 'blueBright'
  | 'cyanBright'
  | 'greenBright'
  | 'magentaBright';

/** Where a command writes: data to stdout, words about it to stderr, so that a pipe gets data only. */
export interface Output {
  /** Whether a person reads stdout. */
  readonly isTerminal: boolean;
  /** Width of the terminal on stdout; undefined when stdout is not a terminal, which means no limit. */
  readonly columns: number | undefined;
  /** Data: a line on stdout. */
  print(text: string): void;
  /** What happens: a line on stderr, nothing with --quiet. */
  say(text: string): void;
  /** What went wrong: a line on stderr. */
  complain(text: string): void;
  /** Colours text for stdout, on a terminal only. */
  paint(colour: Colour, text: string): string;
}

export interface OutputOptions {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  quiet: boolean;
  colour: boolean;
}

/** Writes to the given streams. NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed, as `styleText` does by itself. */
export function createOutput({ stdout, stderr, quiet, colour }: OutputOptions): Output {
  return {
    isTerminal: stdout.isTTY === true,
    columns: stdout.isTTY ? stdout.columns || undefined : undefined,
    print: (text) => void stdout.write(`${text}\n`),
    say: (text) => void (quiet || stderr.write(`${text}\n`)),
    complain: (text) => void stderr.write(`${text}\n`),
    paint: (name, text) => (colour ? styleText(name, text, { stream: stdout }) : text),
  };
}

/** `87 MB`, `79 GB`. */
export function formatBytes(bytes: number): string {
  return bytes < 10e9 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e9)} GB`;
}

/** A time as the people of this machine read it, YYYY-MM-DD HH:MM:SS. */
export function localTime(iso: string | undefined): string {
  const time = new Date(iso ?? Number.NaN);
  // The Swedish way to write a date is the ISO one, in local time.
  return Number.isNaN(time.getTime()) ? '-'.padEnd(19) : time.toLocaleString('sv-SE');
}

/** `; did you mean "x"?` or nothing, to hang on to a message. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearestName(word, candidates);
  return found === undefined ? '' : `; did you mean "${found}"?`;
}
