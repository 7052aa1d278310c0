import { createHash } from 'node:crypto';
import { WriteStream } from 'node:tty';
import { displayWidth, formatDuration, trimToWidth } from '../../core/text.ts';
import type { RequestOutcome, RequestRecord } from '../requestRecord.ts';

/** A piece of a line, harmless for a terminal already. */
export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
  /** Columns to which it may be shortened before anything else is cut; absent where each letter counts. */
  readonly least?: number;
}

/** Shortens the widest of the spans that allow it until the line fits or they are at their least. */
function squeeze(spans: readonly Span[], columns: number): readonly Span[] {
  const widths = spans.map(({ text }) => displayWidth(text));
  let excess = widths.reduce((sum, width) => sum + width, 0) - columns;
  while (excess > 0) {
    const slack = spans.map(({ least }, index) => (least === undefined ? 0 : (widths[index] ?? 0) - least));
    const widest = slack.indexOf(Math.max(...slack));
    const width = widths[widest];
    if (width === undefined || (slack[widest] ?? 0) <= 0) break;
    widths[widest] = width - 1;
    excess -= 1;
  }
  return spans.map((span, index) => ({ ...span, text: trimToWidth(span.text, widths[index] ?? 0) }));
}

/** One line of a terminal, never wider than it: spans that may be shortened are, then the end is cut off. */
export function composeLine(spans: readonly Span[], columns: number, paint: Paint): string {
  let left = columns;
  let line = '';
  for (const { text, style } of squeeze(spans, columns)) {
    if (left < 1) break;
    const shown = trimToWidth(text, left);
    left -= displayWidth(shown);
    line += paint(style, shown);
  }
  return line;
}

/**
 * Lays a text out over lines, broken between words where that is possible.
 * @param first columns of the first line
 * @param rest columns of those after it
 */
export function foldText(text: string, first: number, rest: number): string[] {
  const lines: string[] = [];
  const columns = () => (lines.length === 0 ? first : rest);
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= columns()) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (displayWidth(line) > columns()) {
      // Without the ellipsis, as nothing is missing.
      const head = trimToWidth(line, columns()).slice(0, -1);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return [...lines, line];
}

/** How many colours a terminal shows; 0 for none. */
export type ColourCount = 0 | 16 | 256;

/** What the text means; a number is the slot of a name. */
export type Style = 'good' | 'warning' | 'bad' | 'faint' | 'strong' | number;

export type Paint = (style: Style | undefined, text: string) => string;

const MEANINGS = { good: '32', warning: '33', bad: '31', faint: '2', strong: '1' } as const;

/** Colours that can be distinguished on a dark and on a light ground, as SGR parameters; red, yellow and green mean something else. */
const NAME_COLOURS = {
  16: ['36', '35', '34', '96', '95', '94', '1;36', '1;35', '1;34', '1;96', '1;95', '1;94'],
  256: [33, 170, 37, 99, 75, 133, 45, 141, 30, 177, 69, 110].map((colour) => `38;5;${colour}`),
} as const;
const SLOTS = NAME_COLOURS[16].length;

/** Number of colours for an output, by what NO_COLOR, FORCE_COLOR, TERM and the like say. */
export function countColours(isTerminal: boolean, environment: NodeJS.ProcessEnv): ColourCount {
  if (!isTerminal && environment['FORCE_COLOR'] === undefined) return 0;
  const depth = WriteStream.prototype.getColorDepth.call(undefined, environment);
  if (depth === 1) return 0;
  return depth >= 8 ? 256 : 16;
}

export function createPaint(colours: ColourCount): Paint {
  if (colours === 0) return (_style, text) => text;
  const names = NAME_COLOURS[colours];
  return (style, text) => {
    if (style === undefined || text === '') return text;
    const code = typeof style === 'number' ? names[style % SLOTS] : MEANINGS[style];
    return `\x1b[${code}m${text}\x1b[0m`;
  };
}

/**
 * Gives names their colours: the same for the same set of names at every start, and no two alike among the first twelve. A name
 * that comes later takes what is free.
 */
export class NameColours {
  readonly #slots = new Map<string, number>();

  constructor(names: Iterable<string>) {
    for (const name of [...new Set(names)].sort()) this.slotOf(name);
  }

  slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const taken = new Set(this.#slots.values());
    let slot = createHash('sha256').update(name).digest().readUInt32BE() % SLOTS;
    while (taken.size < SLOTS && taken.has(slot)) slot = (slot + 1) % SLOTS;
    this.#slots.set(name, slot);
    return slot;
  }
}

/** Makes a text harmless for a terminal: names and errors come from clients and providers. */
type Sanitize = (text: string) => string;

const MARKS: Record<RequestOutcome, { readonly mark: string; readonly style: Style }> = {
  ok: { mark: '✓', style: 'good' },
  rejected: { mark: '✗', style: 'warning' },
  error: { mark: '✗', style: 'bad' },
  interrupted: { mark: '✗', style: 'bad' },
  client_closed: { mark: '○', style: 'warning' },
};

const MESSAGES = '/v1/messages';
/** Columns that a model's name and an error keep in a narrow terminal. */
const LEAST_NAME = 12;
const LEAST_ERROR = 24;
/** Enough for the duration; the time until the first event gives way before a model's name does. */
const LEAST_TIME = 8;

/** `456`, `12.3K`, `1.2M`. */
function compact(count: number): string {
  if (count < 1000) return String(count);
  const [size, unit] = count < 999_950 ? [count / 1000, 'K'] : [count / 1_000_000, 'M'];
  return `${Number(size.toFixed(1))}${unit}`;
}

function tokenText({ inputTokens, outputTokens, ...record }: RequestRecord): string | undefined {
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const count = (tokens = 0) => `${record.usageEstimated === true ? '~' : ''}${compact(tokens)}`;
  const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0 } = record;
  return [
    `in ${count(inputTokens)}`,
    `out ${count(outputTokens)}`,
    read > 0 ? `cache read ${count(read)}` : '',
    written > 0 ? `cache write ${count(written)}` : '',
  ]
    .filter((text) => text !== '')
    .join(' ');
}

/** Nothing where nobody was asked or nothing came of it. */
function costText({ cost, attempts, outputTokens }: RequestRecord): string | undefined {
  if (cost === undefined) return attempts === undefined ? undefined : '$?';
  return cost === 0 && outputTokens === undefined ? undefined : `$${cost.toFixed(4)}`;
}

function shortDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : formatDuration(milliseconds);
}

function timeText({ durationMs, firstEventMs }: RequestRecord): string {
  const first = firstEventMs === undefined ? '' : `, first ${shortDuration(firstEventMs)}`;
  return `${shortDuration(durationMs)}${first}`;
}

function tierText({ tier, route, intent }: RequestRecord): string | undefined {
  const known = [tier === 'none' ? undefined : tier, route, intent === 'chat' ? undefined : intent].filter(
    (word) => word !== undefined,
  );
  return known.length === 0 ? undefined : known.join(' ');
}

function attemptsText({ attempts = 0 }: RequestRecord): string | undefined {
  return attempts > 1 ? `${attempts} attempts` : undefined;
}

/** Who was asked before, and why it did not answer. */
function fallbackText({ fallbacks = [] }: RequestRecord): string | undefined {
  if (fallbacks.length === 0) return undefined;
  return `fallback from ${fallbacks.map(({ from, reason }) => `${from} (${reason})`).join(', ')}`;
}

function errorText({ outcome, status, errorType, errorMessage }: RequestRecord): string | undefined {
  if (outcome === 'ok') return undefined;
  if (outcome === 'client_closed') return 'the client has gone';
  const words = [errorType, errorMessage].filter((word) => word !== undefined).join(': ');
  return outcome === 'interrupted' ? `broken off, ${words}` : `${status} ${words}`;
}

/** What a line says of one request after its time and its name, the more important the earlier. */
export function requestSpans(record: RequestRecord, sanitize: Sanitize): readonly (readonly Span[])[] {
  const { style } = MARKS[record.outcome];
  const asked = record.model ?? '';
  const used = record.upstreamModel ?? '';
  const models: Span[] = [
    { text: sanitize(asked), least: LEAST_NAME },
    ...(used === '' || used === asked
      ? []
      : [
          { text: ' → ', style: 'faint' as const },
          { text: sanitize(used), style: 'strong' as const, least: LEAST_NAME },
        ]),
  ];
  const span = (text: string | undefined, facts: Omit<Span, 'text'> = {}): Span[] =>
    text === undefined || text === '' ? [] : [{ text: sanitize(text), ...facts }];
  return [
    span(record.endpoint === MESSAGES ? undefined : record.endpoint.replace(/^\/v1\//, ''), { style: 'faint' }),
    span(tierText(record), { style: 'faint' }),
    asked === '' ? [] : models,
    span(errorText(record), { style, least: LEAST_ERROR }),
    span(fallbackText(record), { style: 'warning', least: LEAST_ERROR }),
    span(tokenText(record)),
    span(costText(record)),
    span(timeText(record), { style: 'faint', least: LEAST_TIME }),
    span(attemptsText(record), { style: 'warning' }),
  ].filter((spans) => spans.length > 0);
}

export function outcomeMark({ outcome }: RequestRecord): Span {
  const { mark, style } = MARKS[outcome];
  return { text: mark, style };
}
