import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const module = pathToFileURL(resolve(import.meta.dirname, '../../../src/cli/main.ts')).href;

/** How many languages zod knows in a process of its own, and whether it works there. */
function languages(prelude: string): unknown {
  const script = `${prelude}
    const z = await import('zod/mini');
    console.log(JSON.stringify([Object.keys(z.locales).length, z.safeParse(z.string(), 1).success]));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

test('commands load zod without its languages, which would be a quarter of their files', () => {
  expect(languages('')).toEqual([expect.toSatisfy((count: number) => count > 40), false]);
  expect(languages(`(await import('${module}')).skipLocales();`)).toEqual([0, false]);
});
