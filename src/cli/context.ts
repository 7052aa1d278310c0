import type { CommandTable } from './commandSpec.ts';
import type { Pm2 } from './supervisor/pm2.ts';
import type { Output } from './terminal/output.ts';
import type { Prompter } from './terminal/prompt.ts';

/** What a command works with; made once in main.ts, which alone knows the process. */
export interface Context {
  /** The project's directory, absolute. */
  readonly root: string;
  readonly output: Output;
  readonly pm2: Pm2;
  /** The caller's variables; what is started gets of them only what it needs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks the user; undefined when there is no terminal to ask on. */
  readonly prompter: Prompter | undefined;
  /** For help and completion. */
  readonly commands: CommandTable;
}

/** The directory in which the user has called `./manage`, which goes to the project's own before anything else. */
export function callerDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['INIT_CWD'] || process.cwd();
}
