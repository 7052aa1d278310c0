import { displayWidth } from '../../../src/core/text.ts';
import { type Look, readColours } from './readColours.ts';

const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const FONT_SIZE = 14;
const PADDING = 16;
const TITLE_HEIGHT = 34;
/** How far the foot of a letter is below the middle of its line. */
const BASELINE = 14;

const GROUND = '#0d1117';
const LETTERS = '#d1d7e0';
const FONTS = 'ui-monospace, SFMono-Regular, Menlo, Consolas, &quot;DejaVu Sans Mono&quot;, monospace';
const BUTTONS = ['#ff5f57', '#febc2e', '#28c840'];

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function round(value: number): string {
  return String(Number(value.toFixed(1)));
}

function attributesOf({ colour, bold, faint }: Look): string {
  return [
    colour === undefined ? '' : ` fill="${colour}"`,
    bold ? ' font-weight="700"' : '',
    faint ? ' opacity="0.6"' : '',
  ].join('');
}

/** One line. Each group of words stands at its column and has its exact width, so that the font of the reader does not matter. */
function drawLine(line: string, index: number): string[] {
  const y = TITLE_HEIGHT + PADDING / 2 + index * LINE_HEIGHT + BASELINE;
  let column = 0;
  return readColours(line).flatMap(({ text, look }) => {
    const start = column;
    column += displayWidth(text);
    return [...text.matchAll(/\S+(?: \S+)*/g)].map((words) => {
      const x = PADDING + (start + displayWidth(text.slice(0, words.index))) * CELL_WIDTH;
      const width = displayWidth(words[0]) * CELL_WIDTH;
      return `<text x="${round(x)}" y="${y}" textLength="${round(width)}"${attributesOf(look)}>${escapeXml(words[0])}</text>`;
    });
  });
}

/**
 * A terminal as an SVG file.
 * @param title what was typed
 * @param lines with the escape sequences of their colours
 * @param columns width of the terminal
 */
export function terminalPicture(title: string, lines: readonly string[], columns: number): string {
  const width = Math.ceil(columns * CELL_WIDTH + 2 * PADDING);
  const height = TITLE_HEIGHT + lines.length * LINE_HEIGHT + PADDING;
  const buttons = BUTTONS.map((colour, at) => `<circle cx="${20 + at * 20}" cy="17" r="6" fill="${colour}"/>`);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>`,
    ...buttons,
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${LETTERS}">`,
    `<text x="${width / 2}" y="22" text-anchor="middle" opacity="0.6">${escapeXml(title)}</text>`,
    ...lines.flatMap(drawLine),
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}
