import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/SECURITY.md'), 'utf8');
const claims = page.split('\n').filter((line) => /^\| (?!Claim|---)/.test(line));

/** `file` › `title of the test` */
const PROOF = /`(test\/[^`]+\.test\.ts)` › `([^`]+)`/g;

test('docs/SECURITY.md makes claims', () => {
  expect(claims.length).toBeGreaterThan(20);
});

test.each(claims.map((claim) => [claim.split('|')[1]?.trim() ?? '', claim] as const))(
  'there is a test that says: %s',
  (_claim, line) => {
    const proofs = [...line.matchAll(PROOF)];
    expect(proofs).not.toEqual([]);
    for (const [, file = '', title = ''] of proofs) {
      const source = readFileSync(join(root, file), 'utf8');
      expect(source, `${file} has no test of this name`).toContain(`'${title}`);
    }
  },
);

const IDS = ['A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'A7', 'A8', 'A9', 'S1', 'S2', 'S3', 'S4'];

test.each(IDS)('%s of the guarantees is among the proofs', (id) => {
  expect([...page.matchAll(PROOF)].some(([, , title = '']) => title.split(' ').includes(id))).toBe(true);
});
