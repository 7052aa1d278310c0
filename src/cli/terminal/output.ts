import { styleText } from 'node:util';
import { nearestName, trimToWidth, wordPosix } from '../../core/text.ts';

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

/** The manager, as texts name it. */
const PROGRAM = './manage';
const PROGRAM_WORD = /(?<![\w./~-])\.\/manage\b/g;

/** The text with the manager named so that a command in it can be pasted where the user stands. */
export function nameProgram(text: string, program: string): string {
  return program === PROGRAM ? text : text.replaceAll(PROGRAM_WORD, () => program);
}

/**
 * The manager as the user called it: a path from where the user stands, or a name on PATH.
 * @param calledAs what the launcher says; undefined when it was not used
 */
export function programWord(calledAs: string | undefined): string {
  return calledAs === undefined || calledAs === '' ? PROGRAM : wordPosix(calledAs);
}

/**
 * Where a command writes: data to stdout, words about it to stderr, so that a pipe gets data only. Texts name the manager as
 * `./manage`; all but `print` write it as the user called it.
 */
export interface Output {
  /** The manager as the user called it, for texts that are wrapped before they are written. */
  readonly program: string;
  /** Whether a person reads stdout. */
  readonly isTerminal: boolean;
  /** Width of the terminal on stdout; undefined when stdout is not a terminal, which means no limit. */
  readonly columns: number | undefined;
  /** Data: a line on stdout, as it is. */
  print(text: string): void;
  /** What a command is asked to show, for people: a line on stdout. */
  show(text: string): void;
  /** What happens: a line on stderr, nothing with --quiet. */
  say(text: string): void;
  /** What went wrong: a line on stderr. */
  complain(text: string): void;
  /** Waits for work; meanwhile, on a terminal, a sign moves beside these words and the seconds so far. */
  wait<T>(what: string, work: Promise<T>): Promise<T>;
  /** Colours text for stdout, on a terminal only. */
  paint(colour: Colour, text: string): string;
}

export interface OutputOptions {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  quiet: boolean;
  colour: boolean;
  /** The manager as the user called it; see {@link programWord}. */
  program: string;
  /** The variable TERM: on a `dumb` terminal nothing moves. */
  term: string | undefined;
  /** Names what else is not as in a checkout, the folder `envs/` for instance. */
  rename?: (text: string) => string;
}

/** Writes to the given streams. NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed, as `styleText` does by itself. */
export function createOutput({ stdout, stderr, quiet, colour, program, term, rename }: OutputOptions): Output {
  const named = (text: string) => `${nameProgram(rename?.(text) ?? text, program)}\n`;
  const waiting = new WaitingLine(stderr);
  const write = (stream: NodeJS.WriteStream, text: string) => {
    waiting.clear();
    stream.write(text);
  };
  return {
    program,
    isTerminal: stdout.isTTY === true,
    columns: stdout.isTTY ? stdout.columns || undefined : undefined,
    print: (text) => write(stdout, `${text}\n`),
    show: (text) => write(stdout, named(text)),
    say: (text) => void (quiet || write(stderr, named(text))),
    complain: (text) => write(stderr, named(text)),
    wait: (what, work) => (quiet || stderr.isTTY !== true || term === 'dumb' ? work : waiting.show(what, work)),
    paint: (name, text) => (colour ? styleText(name, text, { stream: stdout }) : text),
  };
}

const SIGNS = ['|', '/', '-', '\\'];
const MOVE_MS = 120;
/** The begin of the line, and nothing behind it (ECMA-48). */
const CLEAR_LINE = '\r\u001b[K';

/** A line at the end of a terminal that shows that something goes on. */
class WaitingLine {
  readonly #stream: NodeJS.WriteStream;
  /** What stands there now. */
  #isShown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Takes it away, so that something else can be written; it comes back by itself. */
  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
    this.#isShown = false;
  }

  async show<T>(what: string, work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    let round = 0;
    const timer = setInterval(() => {
      const seconds = Math.floor((performance.now() - startedAt) / 1000);
      const line = `${SIGNS[round % SIGNS.length]} ${what} ... ${seconds} s`;
      this.#stream.write(CLEAR_LINE + trimToWidth(line, (this.#stream.columns || 80) - 1));
      this.#isShown = true;
      round += 1;
    }, MOVE_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.clear();
    }
  }
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
