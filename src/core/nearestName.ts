/** Number of letters to insert, delete, replace or swap with their neighbour to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const viaSwap = swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, viaSwap));
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}

/** How many letters may be wrong: short words are near to everything. */
function tolerance(word: string): number {
  return Math.max(word.length < 5 ? 1 : 2, Math.floor(word.length / 3));
}

/** The known name that a mistyped one most likely meant, or began; undefined when none is near. */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  let best: string | undefined;
  let bestDistance = tolerance(typed) + 1;
  for (const name of known) {
    const begun = wanted.length > 1 && name.toLowerCase().startsWith(wanted);
    const distance = begun ? 0 : editDistance(wanted, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}
