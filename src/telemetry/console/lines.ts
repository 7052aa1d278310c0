import { createHash } from 'node:crypto';
import { WriteStream } from 'node:tty';
import { displayWidth, trimToWidth } from '../../core/text.ts';

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
