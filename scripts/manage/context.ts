import type { Output } from './output.ts';
import type { Pm2 } from './pm2.ts';

/** What a command works with; made once in scripts/manage.ts, which alone knows the process. */
export interface Context {
  /** The project's directory, absolute. */
  readonly root: string;
  readonly output: Output;
  readonly pm2: Pm2;
}
