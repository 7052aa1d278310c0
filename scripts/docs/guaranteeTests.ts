import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { textsOf } from './ruleTests.ts';

/** The tests that name each guarantee: paths below `test/`, sorted. */
export type GuaranteeTests = ReadonlyMap<string, readonly string[]>;

/** A title, or a row that a title is made of, begins with what it proves; rules of the translation may stand in between. */
const BEGINNING = /^['`]((?:[A-Z]\d{1,3}(?: |(?=['`])))+)/;
const GUARANTEE = /^[LUCPEGSAK]\d{1,2}$/;
/** These name scenarios of the benchmark in the same form, or guarantees only to count them. */
const NO_PROOF = /^(?:unit\/bench\/|(?:reliability|security)\.test\.ts)/;

function guaranteesOf(source: string): Set<string> {
  const named = textsOf(source).flatMap((text) => BEGINNING.exec(text)?.[1]?.trim().split(' ') ?? []);
  return new Set(named.filter((name) => GUARANTEE.test(name)));
}

/** Reads the tests below `test/` of the project. */
export function readGuaranteeTests(root: string): GuaranteeTests {
  const places = new Map<string, string[]>();
  for (const entry of readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = entry.replaceAll('\\', '/');
    if (!path.endsWith('.test.ts') || NO_PROOF.test(path)) continue;
    for (const id of guaranteesOf(readFileSync(join(root, 'test', path), 'utf8'))) {
      places.set(id, [...(places.get(id) ?? []), path]);
    }
  }
  return places;
}
