import './build/pinnedNode.cjs';
import { resolve } from 'node:path';
import { build } from './build/build.ts';

try {
  await build(resolve(import.meta.dirname, '..'), (line) => process.stdout.write(`${line}\n`));
} catch (error) {
  process.stderr.write(`claude-code-proxy: the build failed. ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
