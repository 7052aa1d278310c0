import { Failure } from '../exitCodes.ts';

/** Letters that mean nothing but themselves in an env file. */
const PLAIN = /^[\w.:/@%+,~=*?&!;-]*$/;

/**
 * A line of an env file, the value in quotes where it needs them.
 * @throws Failure for a value that no quotes can hold.
 */
export function envLine(key: string, value: string): string {
  if (PLAIN.test(value)) return `${key}=${value}`;
  if (!/['\n\r]/.test(value)) return `${key}='${value}'`;
  if (!/["\\$\n\r]/.test(value)) return `${key}="${value}"`;
  throw new Failure(`${key}: an env file cannot hold a value with both kinds of quotes, or with line breaks`);
}
