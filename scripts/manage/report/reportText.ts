import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';

function valueLines(value: Json, indentation: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => `${indentation}${typeof item === 'string' ? item : JSON.stringify(item)}`);
  }
  if (!isObject(value)) return [`${indentation}${typeof value === 'string' ? value : JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, inner = null]) => {
    const isLong = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0;
    const short = typeof inner === 'string' ? inner : JSON.stringify(inner);
    return isLong
      ? [`${indentation}${key}:`, ...valueLines(inner, `${indentation}  `)]
      : [`${indentation}${key}: ${short}`];
  });
}

const isPart = (value: Json | undefined) => typeof value === 'object' && value !== null;

/** A block of its own for each, where the items have parts; else one block with a line for each. */
function blocksOf(value: Json): Json[] {
  const isDeep = Array.isArray(value) && value.some((item) => isObject(item) && Object.values(item).some(isPart));
  return isDeep ? value : [value];
}

/** A report for people: one block for each of its parts, a line for each value. */
export function reportText(report: JsonObject): string {
  const entries = Object.entries(report);
  const head = Object.fromEntries(entries.filter(([, value]) => !isPart(value)));
  const parts = entries
    .filter(([, value]) => isPart(value))
    .flatMap(([title, value = null]) => blocksOf(value).map((block): [string, Json] => [title, block]));
  return [['report', head] as const, ...parts]
    .map(([title, block]) => `${[`== ${title}`, ...valueLines(block, '')].join('\n')}\n`)
    .join('\n');
}
