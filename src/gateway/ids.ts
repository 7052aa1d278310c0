import { randomUUID } from 'node:crypto';

/** A new id of Anthropic's form: the prefix (`msg_`, `toolu_`, `req_`) and 24 random digits and letters. */
export function createId(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '').slice(0, 24);
}
