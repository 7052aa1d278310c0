import '../scripts/build/pinnedNode.cjs';
import { resolve } from 'node:path';
import { build } from '../scripts/build.ts';

/** Brings dist/claude-code-proxy up to date before the tests that run it. */
export default async function setup(): Promise<void> {
  await build(resolve(import.meta.dirname, '..'), (line) => process.stdout.write(`${line}\n`));
}
