import { createHash } from 'node:crypto';
import { Secret } from '../core/secret.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The value as plain data whose JSON text does not depend on the order of fields; secrets as their hash. */
function canonical(value: unknown): unknown {
  if (value instanceof Secret) return sha256(value.reveal());
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, canonical(field)]));
}

/** First 12 hexadecimal digits of SHA-256 over settings: equal for equal settings, without giving a secret away. */
export function fingerprint(settings: object): string {
  return sha256(JSON.stringify(canonical(settings))).slice(0, 12);
}
