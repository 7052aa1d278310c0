import { displayWidth } from '../../src/core/text.ts';

/** How letters look; a colour as in CSS. */
export interface Look {
  readonly colour?: string | undefined;
  readonly bold?: boolean;
  readonly faint?: boolean;
}

export interface Span {
  readonly text: string;
  readonly look: Look;
}

/** The sixteen colours of a terminal, in their order: dark ones, then bright ones. */
const COLOURS = [
  ...['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'],
  ...['#7d8590', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#ffffff'],
];
/** Where the grey colours begin behind the cube. */
const FIRST_GREY = 232;
/** The levels of red, green and blue in xterm's cube of 6 x 6 x 6 colours, which begins behind the sixteen. */
const LEVELS = [0, 95, 135, 175, 215, 255];

/** Behind the letter ESC. */
const SEQUENCE = /^\[(?<codes>[\d;]*)m/;

function paletteColour(number: number): string | undefined {
  if (number < COLOURS.length) return COLOURS[number];
  if (number >= FIRST_GREY)
    return `rgb(${Array(3)
      .fill(8 + 10 * (number - FIRST_GREY))
      .join(', ')})`;
  const cube = number - COLOURS.length;
  const parts = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => LEVELS[level]);
  return parts.includes(undefined) ? undefined : `rgb(${parts.join(', ')})`;
}

/** Codes of backgrounds and of reversed colours, which pictures leave out. */
const LEFT_OUT: ReadonlySet<number> = new Set([7, 27, 48, 49]);

/** @throws Error for a code that no picture uses */
function changeLook(look: Look, codes: readonly number[]): Look {
  const [code = 0, kind, number = 0] = codes;
  if (code === 0) return {};
  if (LEFT_OUT.has(code)) return look;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, faint: true };
  if (code === 22) return { colour: look.colour };
  if (code === 39) return { ...look, colour: undefined };
  if (code >= 30 && code < 38) return { ...look, colour: COLOURS[code - 30] };
  if (code >= 90 && code < 98) return { ...look, colour: COLOURS[code - 82] };
  if (code === 38 && kind === 5) return { ...look, colour: paletteColour(number) };
  throw new Error(`the escape sequence ${codes.join(';')} is not known`);
}

/** A line of a terminal as pieces of one look each, by the escape sequences SGR of ECMA-48. */
export function readColours(line: string): readonly Span[] {
  const [first = '', ...rest] = line.split('\u001b');
  let look: Look = {};
  const spans = rest.map((part) => {
    const { 0: sequence = '', groups } = SEQUENCE.exec(part) ?? {};
    look = changeLook(look, (groups?.['codes'] ?? '').split(';').map(Number));
    return { text: part.slice(sequence.length), look };
  });
  return [{ text: first, look: {} }, ...spans].filter(({ text }) => text !== '');
}

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
