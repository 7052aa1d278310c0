import { stat } from 'node:fs/promises';
import { type RolldownLog, rolldown } from 'rolldown';

/** A bundle has to be complete: an import that cannot be found is a failed build, not something to look for at run time. */
function refuseUnresolved(log: RolldownLog): void {
  if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
  process.stderr.write(`bundle: ${log.message}\n`);
}

/**
 * Bundles `entry` and all it imports into the one CommonJS file `output`; gives its size in bytes.
 * `version` stands in the code as the constant `__VERSION__`.
 * Names stay as they are written (`mangle: false`): stack traces and error classes remain readable, for 2 ms of start.
 * @throws when something imported cannot be found or parsed.
 */
export async function bundle(entry: string, output: string, version: string): Promise<number> {
  const bundler = await rolldown({
    input: entry,
    platform: 'node',
    onwarn: refuseUnresolved,
    transform: { define: { __VERSION__: JSON.stringify(version) } },
  });
  try {
    await bundler.write({
      file: output,
      format: 'cjs',
      codeSplitting: false,
      minify: { mangle: false, compress: true, codegen: true },
    });
  } finally {
    await bundler.close();
  }
  return (await stat(output)).size;
}
