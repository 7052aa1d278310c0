import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How an executable was started: the options that Node got, and of each chunk whether V8 refused what was compiled at the build. */
export interface StartLook {
  readonly options: readonly string[];
  readonly rejected: Readonly<Record<string, boolean>>;
}

/** Looks into the next start of an executable that gets `option` among those of Node's. */
export function lookIntoStart(folder: string): { readonly option: string; read(): StartLook } {
  const program = join(folder, 'look.cjs');
  const seen = join(folder, 'seen.json');
  writeFileSync(
    program,
    `const vm = require('node:vm');
     const rejected = {};
     vm.Script = class extends vm.Script {
       constructor(source, options) {
         super(source, options);
         rejected[options.filename] = this.cachedDataRejected;
         const look = { options: process.execArgv, rejected };
         require('node:fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(look));
       }
     };`,
  );
  return { option: `--require=${program}`, read: () => JSON.parse(readFileSync(seen, 'utf8')) };
}
