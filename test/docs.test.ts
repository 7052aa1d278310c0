import { expect, test } from 'vitest';
import { staleDocuments } from '../scripts/docs.ts';

test('the generated files are what the tables in src/ give (else: npm run docs)', () => {
  expect(staleDocuments()).toEqual([]);
});
