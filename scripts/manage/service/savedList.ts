import { existsSync, readFileSync } from 'node:fs';
import { asString, isObject } from '../../../src/core/json.ts';

/** How many processes of each app `pm2 save` has written down; undefined when it has never been asked to, or it cannot be read. */
export function readSavedList(file: string): ReadonlyMap<string, number> | undefined {
  if (!existsSync(file)) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
  return Array.isArray(list)
    ? countNames(list.flatMap((app) => (isObject(app) ? (asString(app['name']) ?? []) : [])))
    : undefined;
}

/** How often each name occurs. */
export function countNames(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** `demo, work (2)`. */
export function listNames(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(', ');
}
