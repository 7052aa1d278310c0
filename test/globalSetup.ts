import '../scripts/build/pinnedNode.cjs';
import { resolve } from 'node:path';
import { build } from '../scripts/build.ts';

/** Brings dist/claude-code-proxy up to date before the tests that run it. */
export default async function setup(): Promise<void> {
  process.stdout.write(
    'All tests take about ten minutes on two cores: first a build, then each file of tests with its time. npm run test:quick takes two.\n',
  );
  await build(resolve(import.meta.dirname, '..'), (line) => process.stdout.write(`${line}\n`));
}
