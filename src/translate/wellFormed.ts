import { isObject } from '../core/json.ts';

/**
 * The value with lone UTF-16 surrogates in its strings replaced by U+FFFD: JSON that holds one is refused by strict
 * parsers. What needs no change is given back itself, not a copy.
 * @param known values that were looked through before
 */
export function replaceLoneSurrogates<T>(value: T, known: WeakSet<object>): T {
  return isWellFormed(value, known) ? value : (replaceIn(value) as T);
}

/** The same for what many requests have in common: it joins the known values, and so is looked through once. */
export function replaceLoneSurrogatesOnce<T extends object>(value: T, known: WeakSet<object>): T {
  if (known.has(value)) return value;
  const replaced = replaceLoneSurrogates(value, known);
  known.add(replaced);
  return replaced;
}

/** Looks before anything is copied, as hardly any request holds one. */
function isWellFormed(value: unknown, known: WeakSet<object>): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null || known.has(value)) return true;
  if (Array.isArray(value)) {
    for (const child of value) if (!isWellFormed(child, known)) return false;
    return true;
  }
  for (const key in value) {
    if (!isWellFormed((value as Record<string, unknown>)[key], known)) return false;
  }
  return true;
}

function replaceIn(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(replaceIn);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replaceIn(child)]));
}
