import type { WriteStream } from 'node:tty';
import { redactBeginning } from '../../core/secret.ts';
import { displayWidth, terminalSafe, trimToWidth } from '../../core/text.ts';
import type { RequestRecord } from '../requestRecord.ts';
import {
  type ColourCount,
  composeLine,
  countColours,
  createPaint,
  foldText,
  NameColours,
  outcomeMark,
  requestSpans,
  type Span,
} from './lines.ts';

export interface ConsoleViewOptions {
  readonly instance: string;
  /** Names of the providers behind the instance. */
  readonly providers: readonly string[];
  readonly colours: ColourCount;
  /** Width of the terminal now; undefined when there is no limit. */
  readonly columns: () => number | undefined;
  /** Masks credentials. */
  readonly redact: (text: string) => string;
}

/** What a person at a terminal reads of an instance, as lines without their ends, none wider than the terminal. */
export interface ConsoleView {
  /** Rows of a name and a value, as the configuration describes itself; what is too long is cut. */
  summary(title: string, rows: readonly string[]): readonly string[];
  /** Laid out over as many lines as it takes, as its end often says how to repair what is wrong. */
  message(time: number, label: string, text: string): readonly string[];
  /** One line; what is too long is cut. */
  request(time: number, record: RequestRecord): string;
}

/** Names and errors may be as long as a request; no terminal shows more of them. */
const LONGEST = 4000;
/** Narrower terminals are treated as being so wide. */
const NARROWEST = 40;
const MOST_NAME = 20;
const INDENT = '    ';
const GAP: Span = { text: '  ' };
const LABELS: Readonly<Record<string, Span>> = {
  warn: { text: '!', style: 'warning' },
  error: { text: '✗', style: 'bad' },
  fatal: { text: '✗', style: 'bad' },
};

function timeOfDay(time: number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

export function createConsoleView(options: ConsoleViewOptions): ConsoleView {
  const { instance, redact } = options;
  const paint = createPaint(options.colours);
  const names = new NameColours([instance, ...options.providers]);
  const columns = () => Math.max(NARROWEST, options.columns() ?? Number.POSITIVE_INFINITY);
  const sanitize = (text: string) => terminalSafe(redactBeginning(text, LONGEST, redact));
  const compose = (spans: readonly Span[]) => composeLine(spans, columns(), paint);
  const name = (text: string): Span => ({ text: trimToWidth(sanitize(text), MOST_NAME), style: names.slotOf(text) });
  const head = (time: number, mark: Span): Span[] => [
    { text: timeOfDay(time), style: 'faint' },
    GAP,
    mark,
    GAP,
    name(instance),
  ];

  return {
    summary(title, rows) {
      const lines = rows.map((row) => {
        const label = /^.*? {2,}|^/.exec(row)?.[0] ?? '';
        return compose([{ text: sanitize(label), style: 'faint' }, { text: sanitize(row.slice(label.length)) }]);
      });
      return [compose([{ text: sanitize(title), style: 'strong' }]), ...lines];
    },
    message(time, label, text) {
      const mark = LABELS[label] ?? { text: '·' };
      const spans = [...head(time, mark), GAP];
      const used = spans.reduce((sum, span) => sum + displayWidth(span.text), 0);
      const words = sanitize(label === 'info' ? text : `${label}: ${text}`);
      const [first = '', ...more] = foldText(words, columns() - used, columns() - INDENT.length);
      return [
        compose([...spans, { text: first, style: mark.style }]),
        ...more.map((line) => INDENT + paint(mark.style, line)),
      ];
    },
    request(time, record) {
      const provider = record.provider === instance ? [] : [{ text: '/' }, name(record.provider)];
      const id = record.id === '' ? [] : [GAP, { text: sanitize(record.id), style: 'faint' as const }];
      const spans = [
        ...head(time, outcomeMark(record)),
        ...provider,
        ...requestSpans(record, sanitize).flatMap((group) => [GAP, ...group]),
      ];
      // Where it does not fit, nothing else gives way for it: `logs` has it.
      const width = [...spans, ...id].reduce((sum, { text }) => sum + displayWidth(text), 0);
      return compose(width <= columns() ? [...spans, ...id] : spans);
    },
  };
}

/** What Node has behind a terminal's stream. */
interface Handle {
  readonly setBlocking?: (isBlocking: boolean) => void;
}

/**
 * Node waits for a terminal at each write, and one that is stopped (Ctrl-S) would stop all requests with it (seen). There is no
 * documented way to have it otherwise; where this one is missing, all is as before.
 */
function doNotWaitFor(stdout: object): void {
  (stdout as { readonly _handle?: Handle | null })._handle?.setBlocking?.(false);
}

/** The view for an output that is a terminal, or that FORCE_COLOR makes one; undefined for any other. */
export function createTerminalView(
  stdout: Pick<WriteStream, 'isTTY' | 'columns'>,
  environment: NodeJS.ProcessEnv,
  facts: Pick<ConsoleViewOptions, 'instance' | 'providers' | 'redact'>,
): ConsoleView | undefined {
  const colours = countColours(stdout.isTTY, environment);
  if (!stdout.isTTY && colours === 0) return undefined;
  if (stdout.isTTY) doNotWaitFor(stdout);
  // A terminal that does not know its width says 0.
  return createConsoleView({ ...facts, colours, columns: () => (stdout.isTTY && stdout.columns) || undefined });
}
