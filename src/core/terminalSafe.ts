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
