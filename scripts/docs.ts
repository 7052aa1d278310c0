import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, renderDocuments } from './docs/documents.ts';

const root = join(import.meta.dirname, '..');

function isCurrent({ path, text }: Document): boolean {
  try {
    return readFileSync(join(root, path), 'utf8') === text;
  } catch {
    return false;
  }
}

/** Paths of the generated files that differ from what they are made of, or are missing. */
export function staleDocuments(): readonly string[] {
  return renderDocuments(root)
    .filter((document) => !isCurrent(document))
    .map((document) => document.path);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleDocuments();
    for (const path of stale) process.stderr.write(`${path} differs from what it is made of; run: npm run docs\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, text } of renderDocuments(root)) writeFileSync(join(root, path), text);
  }
}
