import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** What would make markup or code of a text, or ask another host. */
const root = resolve(import.meta.dirname, '..', '..', '..');
const WAYS =
  /dangerouslySetInnerHTML|\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(|createContextualFragment|srcdoc|<style|<script(?! type="module" src="\/page\.js">)|\bon\w+="|https?:\/\/(?!www\.w3\.org)/;

test('A7 of no text the page makes markup or code, and it names no other host', () => {
  const files = globSync('src/page/*.{ts,tsx,html,css}', { cwd: root });
  expect(files.length).toBeGreaterThan(15);
  const found = files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => WAYS.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});

test.each([
  '<p dangerouslySetInnerHTML={{ __html: name }} />',
  'element.innerHTML = name',
  '<script>',
  '<img onerror="x">',
  "fetch('https://example.com')",
])('%s would be found', (line) => expect(line).toMatch(WAYS));
