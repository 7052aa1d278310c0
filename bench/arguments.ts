import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]

  --long           more and longer rounds (about 23 minutes), and failure for what has become much slower
  --only S1,S3     only these scenarios (S3 also stands for "S3 2 MB")
  --rounds N       so many rounds of each scenario, in place of its own number
  --compare REF    build this commit, branch or tag of git beside the checkout as it stands, and measure both in turn
  --targets FILE   other proxies to measure beside (docs/BENCHMARKS.md)
  --binary FILE    another build than dist/claude-code-proxy; with --compare it is measured in place of the checkout
  --write          put the tables into docs/BENCHMARKS.md
`;

export interface Arguments {
  readonly long: boolean;
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  readonly compare: string | undefined;
  readonly targets: string | undefined;
  /** Absent: the build of the checkout. */
  readonly binary: string | undefined;
  readonly write: boolean;
  readonly help: boolean;
}

function readRounds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${text}: a whole number from 1 expected`);
  return rounds;
}

/** Throws for what it does not know, and for options that exclude each other. */
export function readArguments(texts: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...texts],
    options: {
      long: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      compare: { type: 'string' },
      targets: { type: 'string' },
      binary: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { compare, binary, targets } = values;
  if (compare === '') throw new Error('--compare: a commit, branch or tag expected');
  if (compare !== undefined && values.write) throw new Error('--compare has a table of its own; leave out --write');
  return {
    ...values,
    compare,
    targets,
    rounds: readRounds(values.rounds),
    binary: binary === undefined ? undefined : resolve(binary),
    only: values.only.split(',').filter((name) => name !== ''),
  };
}
