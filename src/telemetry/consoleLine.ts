import { displayWidth, trimToWidth } from '../core/text.ts';
import type { Paint, Style } from './consoleColours.ts';

/** A piece of a line, harmless for a terminal already. */
export interface Part {
  readonly text: string;
  readonly style?: Style | undefined;
  /** Columns to which it may be shortened before anything else is cut; absent where each letter counts. */
  readonly least?: number;
}

/** Shortens the widest of the parts that allow it until the line fits or they are at their least. */
function squeeze(parts: readonly Part[], columns: number): readonly Part[] {
  const widths = parts.map(({ text }) => displayWidth(text));
  let excess = widths.reduce((sum, width) => sum + width, 0) - columns;
  while (excess > 0) {
    const room = parts.map(({ least }, index) => (least === undefined ? 0 : (widths[index] ?? 0) - least));
    const widest = room.indexOf(Math.max(...room));
    const width = widths[widest];
    if (width === undefined || (room[widest] ?? 0) <= 0) break;
    widths[widest] = width - 1;
    excess -= 1;
  }
  return parts.map((part, index) => ({ ...part, text: trimToWidth(part.text, widths[index] ?? 0) }));
}

/** One line of a terminal, never wider than it: parts that may be shortened are, then the end is cut off. */
export function composeLine(parts: readonly Part[], columns: number, paint: Paint): string {
  let left = columns;
  let line = '';
  for (const { text, style } of squeeze(parts, columns)) {
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
