import type { Output } from './output.ts';
import type { Pm2 } from './pm2.ts';
import type { Prompter } from './prompter.ts';

/** What a command works with; made once in scripts/manage.ts, which alone knows the process. */
export interface Context {
  /** The project's directory, absolute. */
  readonly root: string;
  readonly output: Output;
  readonly pm2: Pm2;
  /** The caller's variables; what is started gets of them only what it needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks the user; undefined when there is no terminal to ask on. */
  readonly prompter: Prompter | undefined;
}
