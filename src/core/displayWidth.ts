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
  let kept = '';
  let used = 0;
  for (const { segment } of lettersOf(text)) {
    used += widthOfLetter(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** The text filled up with spaces to `width` columns. */
export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
