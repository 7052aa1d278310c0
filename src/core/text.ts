let segmenter: Intl.Segmenter | undefined;

/** The letters of a text, each with its marks. */
function lettersOf(text: string): Iterable<Intl.SegmentData> {
  // Made when it is needed, as that takes milliseconds of each start.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

const ASCII = /^[ -~]*$/;

/** Letters that take two columns: East Asian wide and full-width ones (Unicode TR11), and pictures. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])|\ufe0f/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

function widthOfLetter(letter: string): number {
  if (WIDE.test(letter)) return 2;
  return INVISIBLE.test(letter) ? 0 : 1;
}

/** Number of terminal columns that a text without control characters takes. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of lettersOf(text)) width += widthOfLetter(segment);
  return width;
}

/** The text cut to at most `width` columns, with an ellipsis when something is missing. */
export function trimToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const letters = Array.from(lettersOf(text), ({ segment }) => segment);
  return width < 1 ? '' : `${takeLetters(letters, width - 1).join('')}…`;
}

/** The same, but what is missing is the beginning: of a path the end says more. */
export function trimStartToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const letters = Array.from(lettersOf(text), ({ segment }) => segment).reverse();
  return width < 1
    ? ''
    : `…${takeLetters(letters, width - 1)
        .reverse()
        .join('')}`;
}

/** The first letters that fit into `width` columns. */
function takeLetters(letters: readonly string[], width: number): string[] {
  let used = 0;
  const end = letters.findIndex((letter) => {
    used += widthOfLetter(letter);
    return used > width;
  });
  return letters.slice(0, end < 0 ? letters.length : end);
}

/**
 * The lines of one line of text that is too long for `width` columns, broken between words where that is possible; those after the
 * first are indented. Without a width it stays one line.
 */
export function wrapText(text: string, width: number | undefined, indent = 0): string[] {
  if (width === undefined || displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let isEmpty = true;
  const breakLine = () => {
    lines.push(line.trimEnd());
    [line, isEmpty] = [' '.repeat(Math.min(indent, Math.max(0, width - MINIMUM_TEXT_WIDTH))), true];
  };
  for (const word of text.trimStart().split(' ')) {
    if (!isEmpty && displayWidth(line) + 1 + displayWidth(word) > width) breakLine();
    if (!isEmpty) line += ' ';
    for (const { segment } of lettersOf(word)) {
      if (displayWidth(line) + widthOfLetter(segment) > width) breakLine();
      line += segment;
      isEmpty = false;
    }
  }
  return [...lines, line];
}

/** However narrow the terminal is, an indented line keeps so many columns for its text. */
const MINIMUM_TEXT_WIDTH = 8;

/** The text filled up with spaces to `width` columns. */
export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/**
 * Makes text of unknown origin (a log, an upstream, another process) harmless for a terminal: control characters, with
 * which it could move the cursor or hide things, and marks that turn the reading direction are shown as `\x1b`, `\u202e`.
 */
export function terminalSafe(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The same for a text of JSON, which stays the same JSON: such letters, but for its own line ends, become escapes like `\u202e`. */
export function terminalSafeJson(json: string): string {
  return json.replace(
    /[^\P{Cc}\n]|[\p{Bidi_Control}\u2028\u2029]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `0.4 s`, `12 s`, `3m 5s`, `4h 12m`, `2d 3h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${Math.floor(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

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

/** Whether the words are the same but for two neighbours in the wrong order, which is the surest sign of a slip. */
function isSwapped(from: string, to: string): boolean {
  const sorted = (word: string) => [...word].sort().join('');
  return from !== to && sorted(from) === sorted(to) && editDistance(from, to) === 1;
}

const MOST_WRONG_LETTERS = 2;

/** Whether a word is another one in another case, or with at most two letters wrong. */
export function isNearMiss(typed: string, name: string): boolean {
  return editDistance(typed.toLowerCase(), name.toLowerCase()) <= MOST_WRONG_LETTERS;
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
    const candidate = name.toLowerCase();
    if (isSwapped(wanted, candidate)) return name;
    const begun = wanted.length > 1 && candidate.startsWith(wanted);
    const distance = begun ? 0 : editDistance(wanted, candidate);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** A word for a POSIX shell, in which nothing has a meaning. */
export function quotePosix(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The same without quotes, as long as it needs none. */
export function wordPosix(text: string): string {
  return /^[\w./@+:-]+$/.test(text) ? text : quotePosix(text);
}
