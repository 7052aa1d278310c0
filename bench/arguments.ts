import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]

  --long           more and longer rounds (about 15 minutes), and failure for what has become much slower
  --only S1,S3     only these scenarios (S3 also stands for "S3 2 MB")
  --targets FILE   other proxies to measure beside (docs/BENCHMARKS.md)
  --binary FILE    another build than dist/claude-code-proxy
  --write          put the tables into docs/BENCHMARKS.md
`;

export interface Arguments {
  readonly long: boolean;
  readonly only: readonly string[];
  readonly targets: string | undefined;
  readonly binary: string;
  readonly write: boolean;
  readonly help: boolean;
}

/** Throws for what it does not know. */
export function readArguments(texts: readonly string[], root: string): Arguments {
  const { values } = parseArgs({
    args: [...texts],
    options: {
      long: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      targets: { type: 'string' },
      binary: { type: 'string', default: resolve(root, 'dist/claude-code-proxy') },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    ...values,
    binary: resolve(values.binary),
    targets: values.targets,
    only: values.only.split(',').filter((name) => name !== ''),
  };
}
