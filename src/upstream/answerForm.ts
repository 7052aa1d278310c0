/** How the body of an answer is read: as events, as one JSON text, or as the words of an error. */
export type AnswerForm = 'events' | 'json' | 'error';

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x0a, 0x0d, 0x09]);

/** What the head says; undefined when the first byte must decide, as it must for JSON: events come under that name too (R220). */
export function formOfHead(status: number, contentType: string): AnswerForm | undefined {
  if (status < 200 || status >= 300) return 'error';
  return contentType.includes('text/event-stream') ? 'events' : undefined;
}

/** A brace begins JSON, an angle bracket a page, anything else events; undefined while there are only blanks. */
export function formOfBytes(bytes: Uint8Array): AnswerForm | undefined {
  const first = bytes.find((byte) => !BLANKS.has(byte));
  if (first === undefined) return undefined;
  if (first === 0x7b || first === 0x5b) return 'json';
  return first === 0x3c ? 'error' : 'events';
}
