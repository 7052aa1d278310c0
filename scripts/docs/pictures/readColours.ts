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
/** The levels of red, green and blue in xterm's cube of 6 x 6 x 6 colours, which begins behind the sixteen. */
const LEVELS = [0, 95, 135, 175, 215, 255];

/** Behind the letter ESC. */
const SEQUENCE = /^\[(?<codes>[\d;]*)m/;

function paletteColour(number: number): string | undefined {
  if (number < COLOURS.length) return COLOURS[number];
  const cube = number - COLOURS.length;
  const parts = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => LEVELS[level]);
  return parts.includes(undefined) ? undefined : `rgb(${parts.join(', ')})`;
}

/** @throws Error for a code that no view of this project uses */
function changeLook(look: Look, codes: readonly number[]): Look {
  const [code = 0, kind, number = 0] = codes;
  if (code === 0) return {};
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
