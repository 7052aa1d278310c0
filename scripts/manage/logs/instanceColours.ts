import type { Colour } from '../output.ts';

/** Without red, yellow and gray, which mean something. */
const PALETTE: readonly Colour[] = [
  'cyan',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'greenBright',
  'magentaBright',
  'blueBright',
];

/**
 * A colour for each instance of the project: distinct as long as there are enough, and by the name, so that an instance keeps
 * its own when others come and go.
 */
export function instanceColours(names: readonly string[]): ReadonlyMap<string, Colour> {
  const free = new Set(PALETTE);
  const colours = new Map<string, Colour>();
  for (const name of [...names].sort()) {
    if (free.size === 0) for (const colour of PALETTE) free.add(colour);
    const wanted = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_537, 7);
    const order = PALETTE.map((_, index) => PALETTE[(wanted + index) % PALETTE.length]);
    const colour = order.find((candidate) => candidate !== undefined && free.has(candidate));
    if (colour === undefined) continue;
    free.delete(colour);
    colours.set(name, colour);
  }
  return colours;
}
