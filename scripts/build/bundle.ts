import { basename, dirname, join } from 'node:path';
import { type RolldownLog, rolldown } from 'rolldown';
import { leaveOut } from './leftOut.ts';

/** A bundle has to be complete: an import that cannot be found is a failed build, not something to look for at run time. */
function refuseUnresolved(log: RolldownLog): void {
  if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
  process.stderr.write(`bundle: ${log.message}\n`);
}

/** One character beyond ASCII, and V8 holds the whole text with two bytes for each; it is also read as one byte for each. */
function refuseForeignCharacters(file: string, code: string): void {
  const [found] = /[\u0080-\uffff].{0,40}/.exec(code) ?? [];
  if (found !== undefined) throw new Error(`${file} is not plain ASCII: ${found}`);
}

/**
 * Bundles `entry` and all it imports into the CommonJS file `output`; gives the size in bytes. What the entry imports later on
 * stands in files of its own beside it, named like the module: a process that does not come so far does not load them.
 * `version` stands in the code as the constant `__VERSION__`.
 * Names stay as they are written (`mangle: false`): stack traces and error classes remain readable, for 2 ms of start.
 * @throws when something imported cannot be found or parsed.
 */
export async function bundle(entry: string, output: string, version: string): Promise<number> {
  const bundler = await rolldown({
    input: entry,
    platform: 'node',
    plugins: [leaveOut],
    resolve: { alias: { undici$: join(import.meta.dirname, 'undici.js') } },
    onwarn: refuseUnresolved,
    transform: {
      define: {
        __VERSION__: JSON.stringify(version),
        // As Node's own undici: without its second HTTP parser, which is an experiment.
        esbuildDetection: 'true',
      },
    },
  });
  try {
    const { output: files } = await bundler.write({
      dir: dirname(output),
      entryFileNames: basename(output),
      chunkFileNames: '[name].cjs',
      format: 'cjs',
      charset: 'ascii',
      // Scripts that are compiled with a code cache know no import() (scripts/build/executableMain.cjs).
      dynamicImportInCjs: false,
      minify: { mangle: false, compress: true, codegen: true },
    });
    let size = 0;
    for (const file of files) {
      const code = file.type === 'chunk' ? file.code : '';
      refuseForeignCharacters(file.fileName, code);
      size += code.length;
    }
    return size;
  } finally {
    await bundler.close();
  }
}
