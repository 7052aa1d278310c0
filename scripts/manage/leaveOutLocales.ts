import { registerHooks } from 'node:module';

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
