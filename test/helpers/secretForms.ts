import { expect } from 'vitest';

/** Shorter ones could stand somewhere by chance. */
const SHORTEST = 8;

/** How a secret may be written: as it is, encoded, or as part of something encoded. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}

/** Fails where a secret stands in the text, in whatever form. */
export function expectNoSecret(text: string, secrets: readonly string[]): void {
  for (const secret of secrets.filter(({ length }) => length >= SHORTEST)) {
    for (const form of formsOf(secret)) {
      const at = text.indexOf(form);
      if (at >= 0) expect.fail(`a secret is shown: ${text.slice(Math.max(0, at - 200), at + form.length + 50)}`);
    }
  }
}
