import { asNumber, asString, isObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Health } from './health.ts';

/** What is added up over the processes of an instance. */
const SUMMED = ['memory_bytes', 'in_flight', 'requests', 'tokens', 'queue'];
/** Of which the latest is that of the instance. */
const LATEST = ['last_success_at', 'last_error'];

/** What several processes of one instance say, as one: figures are summed up, everything else is as the first has it. */
export function combineHealth(first: Health, all: readonly Health[]): Health {
  const others = all.filter(({ pid }) => pid !== first.pid).map(({ body }) => body);
  const body = { ...first.body };
  for (const name of SUMMED) body[name] = others.reduce((sum, other) => add(sum, other[name]), body[name]);
  for (const name of LATEST) body[name] = others.reduce((latest, other) => later(latest, other[name]), body[name]);
  return { ...first, body };
}

function add(a: Json | undefined, b: Json | undefined): Json | undefined {
  if (!isObject(a) || !isObject(b)) return (asNumber(a) ?? 0) + (asNumber(b) ?? 0);
  return Object.fromEntries(Object.keys(a).map((name) => [name, add(a[name], b[name])])) satisfies JsonObject;
}

function later(a: Json | undefined, b: Json | undefined): Json | undefined {
  return timeOf(b) > timeOf(a) ? b : a;
}

/** When it was, as text that sorts by time; empty when it never was. */
function timeOf(value: Json | undefined): string {
  return asString(isObject(value) ? value['at'] : value) ?? '';
}
