interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly title: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

const WIDTH = 860;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 36;

/** Round distance between two marks of an axis, so that there are at most so many. */
function stepFor(length: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(length / most));
  const step = [1, 2, 5, 10].find((factor) => length / (factor * power) <= most) ?? 10;
  return step * power;
}

function marks(upTo: number, most: number): number[] {
  const step = stepFor(upTo, most);
  return Array.from({ length: Math.floor(upTo / step) + 1 }, (_, index) => index * step);
}

const escapeText = (words: string) => words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Draws lines over minutes as an SVG file with both axes from zero. */
export function drawPlot(title: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const mostX = Math.max(...all.map(({ x }) => x), 1);
  const mostY = Math.max(...all.map(({ y }) => y), 1) * 1.1;
  const x = (value: number) => (LEFT + (value / mostX) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number) => (HEIGHT - BOTTOM - (value / mostY) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const text = (at: string, words: string, more = '') => `<text ${at} ${more}>${escapeText(words)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(`x="${LEFT}" y="20"`, title, 'font-size="14" fill="#111"'),
    ...marks(mostY, 6).flatMap((value) => [
      `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      text(`x="${LEFT - 8}" y="${Number(y(value)) + 4}"`, String(value), 'text-anchor="end"'),
    ]),
    ...marks(mostX, 10).map((value) =>
      text(`x="${x(value)}" y="${HEIGHT - 14}"`, `${value} min`, 'text-anchor="middle"'),
    ),
    ...lines.flatMap(({ title: name, colour, points }, index) => [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')}"/>`,
      text(
        `x="${WIDTH - RIGHT - 150 * (lines.length - 1 - index)}" y="20"`,
        name,
        `text-anchor="end" fill="${colour}"`,
      ),
    ]),
    '</svg>',
    '',
  ].join('\n');
}
