import type { Json } from '../core/json.ts';

/** Control characters (C0, DEL, C1) and the two line ends of Unicode. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;

/**
 * The last step of every JSON line on its way to the log (G5, G6): credentials are masked, and the characters that JSON
 * lets through but terminals and line readers act upon (DEL, C1, U+2028, U+2029) are escaped. The result is valid JSON.
 */
export function sealJsonLine(line: string, redact: (text: string) => string): string {
  // Where escapes are, a mask over the raw text could miss a key or cut an escape in two: mask the values instead.
  const clean = line.includes('\\') ? JSON.stringify(redactValues(JSON.parse(line), redact)) : redact(line);
  return clean.replace(CONTROLS, escapeCharacter);
}

/** The same for a line of plain text meant for a terminal. */
export function sealPlainLine(line: string, redact: (text: string) => string): string {
  return redact(line).replace(CONTROLS, escapeCharacter);
}

function redactValues(value: Json, redact: (text: string) => string): Json {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redactValues(item, redact));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redact(key), redactValues(item ?? null, redact)]),
  );
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
