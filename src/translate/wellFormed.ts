import { isObject } from '../core/json.ts';

/**
 * The value with lone UTF-16 surrogates in its strings replaced by U+FFFD (R106): JSON that holds one is refused by strict
 * parsers. What needs no change is given back itself, not a copy.
 */
export function replaceLoneSurrogates<T>(value: T): T {
  return replaceIn(value) as T;
}

function replaceIn(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (Array.isArray(value)) {
    const items = value.map(replaceIn);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  let changed = false;
  const entries = Object.entries(value).map(([key, child]) => {
    const replaced = replaceIn(child);
    changed ||= replaced !== child;
    return [key, replaced] as const;
  });
  return changed ? Object.fromEntries(entries) : value;
}
