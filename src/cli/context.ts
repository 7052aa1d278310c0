import { registerHooks } from 'node:module';
import type { Pm2 } from './supervisor/pm2.ts';
import type { Output } from './terminal/output.ts';
import type { Prompter } from './terminal/prompt.ts';

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

/** The directory in which the user has called `./manage`, which goes to the project's own before anything else. */
export function callerDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['INIT_CWD'] || process.cwd();
}

const EMPTY_MODULE = 'data:text/javascript,';
const LOCALES = '../locales/index.js';

/**
 * From now on zod is loaded without its error texts in 60 languages, none of which we show: a quarter of all files that a command
 * has to read, and of its time (measured). Where zod has them elsewhere, they are loaded as before.
 */
export function leaveOutLocales(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === LOCALES && context.parentURL?.includes('/node_modules/zod/')
        ? { url: EMPTY_MODULE, shortCircuit: true }
        : next(specifier, context),
  });
}
