import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundle } from '../../../../scripts/build/bundle.ts';
import { listRequires } from './listRequires.ts';

const root = resolve(import.meta.dirname, '../../../..');
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('one file holds the entry, what it imports later on, and the version', async () => {
  writeFileSync(join(directory, 'later.ts'), 'export const answer: string = "later";');
  writeFileSync(
    join(directory, 'main.ts'),
    `declare const __VERSION__: string;
     class Named {}
     import('./later.ts').then(({ answer }) => console.log(typeof __VERSION__, __VERSION__, Named.name, answer));`,
  );
  const output = join(directory, 'out', 'main.cjs');
  const size = await bundle(join(directory, 'main.ts'), output, '1.2.3');
  expect(readdirSync(join(directory, 'out'))).toEqual(['main.cjs']);
  expect(readFileSync(output).length).toBe(size);
  expect(execFileSync(process.execPath, [output], { encoding: 'utf8' })).toBe('string 1.2.3 Named later\n');
});

test('an import that cannot be found fails the bundle', async () => {
  writeFileSync(join(directory, 'main.ts'), "import { nothing } from 'no-such-package'; console.log(nothing);");
  const bundling = bundle(join(directory, 'main.ts'), join(directory, 'main.cjs'), '1.2.3');
  await expect(bundling).rejects.toThrow('no-such-package');
});

test('the bundle of the proxy asks for nothing but the modules of Node', async () => {
  const output = join(directory, 'main.cjs');
  await bundle(join(root, 'src', 'main.ts'), output, '1.2.3');
  const required = listRequires(readFileSync(output, 'utf8'));
  expect(required).toContain('node:http');
  expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
});

test('requires are found in code and not in strings', () => {
  const code = 'require("a"); () => { require(`b`); import("c"); }; "require(\'d\')"; require(e); object.require("f");';
  expect(listRequires(code)).toEqual(['(computed)', 'a', 'b', 'c']);
});
