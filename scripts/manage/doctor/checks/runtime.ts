import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLATFORM } from '../../../build/stamp.ts';
import { type Finding, fail, ok } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** Whether this is the Node that package.json pins, which the executable is made of too. */
export function checkRuntime({ root }: Subject): Finding[] {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const platform = PLATFORM.replace('win32', 'win');
  const name = Object.keys(optionalDependencies).find((candidate) => candidate.endsWith(`-${platform}`));
  if (name === undefined) return [fail('runtime', `package.json pins no Node.js for ${platform}`)];
  const pinned = `v${optionalDependencies[name]}`;
  return process.version === pinned
    ? [ok('runtime', `Node.js ${pinned}, as pinned`)]
    : [
        fail('runtime', `Node.js ${process.version} runs this, but package.json pins ${pinned}`, {
          remedy: 'npm ci --include=optional',
        }),
      ];
}
