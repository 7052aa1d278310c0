import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `npm run soak -- [options]

  --minutes N      how long the load lasts (default 20)
  --hours N        the same in hours
  --rest N         seconds without load before the descriptors are counted again (default 70)
  --users N        conversations at the same time (default 100)
  --binary FILE    another build than dist/claude-code-proxy; its main.cjs and instance.cjs must lie beside it
  --write          put figures and plot into docs/soak.json and docs/soak.svg (then: npm run docs)
`;

export interface Arguments {
  readonly minutes: number;
  readonly restSeconds: number;
  readonly users: number;
  readonly binary: string;
  readonly write: boolean;
  readonly help: boolean;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}

/** Throws for what it does not know. */
export function readArguments(texts: readonly string[], root: string): Arguments {
  const { values } = parseArgs({
    args: [...texts],
    options: {
      minutes: { type: 'string', default: '20' },
      hours: { type: 'string' },
      rest: { type: 'string', default: '70' },
      users: { type: 'string', default: '100' },
      binary: { type: 'string', default: resolve(root, 'dist/claude-code-proxy') },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { minutes, hours, rest, users, binary, write, help } = values;
  return {
    minutes: hours === undefined ? positive('minutes', minutes) : positive('hours', hours) * 60,
    restSeconds: positive('rest', rest),
    users: positive('users', users),
    binary: resolve(binary),
    write,
    help,
  };
}
