import { jsonrepair } from 'jsonrepair';
import { isObject } from '../../core/json.ts';
import { JsonScanner } from './jsonScanner.ts';

/** How often a form may be wrapped in another: a fence around a JSON string around an object. */
const DEPTH = 4;

/**
 * The JSON object that a complete arguments text was meant to be, as text; undefined when it cannot be told (R207). In
 * this order: an object as it is, a code fence, an object encoded as a JSON string, a list with one object, an empty
 * object in front, words after the object, and last the general repairs (commas, quotes, a missing end).
 */
export function repairArguments(text: string): string | undefined {
  return unwrap(text, DEPTH);
}

function unwrap(text: string, depth: number): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'null') return '{}';
  if (depth === 0) return undefined;
  const value = parse(trimmed);
  if (value !== undefined) return fromValue(value, trimmed, depth);

  if (isFenced(trimmed)) return unwrap(trimmed.slice(3, -3).replace(/^\w*/, ''), depth - 1);
  const afterEmpty = /^\{\s*\}\s*(?=\{)/.exec(trimmed)?.[0];
  if (afterEmpty !== undefined) return unwrap(trimmed.slice(afterEmpty.length), depth - 1);
  return firstObject(trimmed) ?? generalRepair(trimmed, depth);
}

function isFenced(text: string): boolean {
  return text.length >= 6 && text.startsWith('```') && text.endsWith('```');
}

function fromValue(value: unknown, text: string, depth: number): string | undefined {
  if (isObject(value)) return text;
  if (typeof value === 'string') return unwrap(value, depth - 1);
  if (Array.isArray(value) && value.length === 1 && isObject(value[0])) return JSON.stringify(value[0]);
  return undefined;
}

/** An object that is complete, whatever words follow it. */
function firstObject(text: string): string | undefined {
  if (!text.startsWith('{')) return undefined;
  const scanner = new JsonScanner();
  const object = scanner.push(text);
  return scanner.closed && parse(object) !== undefined ? object : undefined;
}

function generalRepair(text: string, depth: number): string | undefined {
  try {
    const repaired = jsonrepair(text).trim();
    const value = parse(repaired);
    return value === undefined ? undefined : fromValue(value, repaired, depth);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
