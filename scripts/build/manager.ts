import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

const LATE = '\0late:';

/**
 * Node's own modules are loaded by the first module that is run and imports them. In one file all of them would be loaded at
 * its start, `node:http` and `node:sqlite` for `--help` too: 14 ms of processor time (measured).
 */
const loadNodeLate: Plugin = {
  name: 'load-node-late',
  resolveId: {
    filter: { id: /^node:/ },
    handler: (specifier, importer) => (importer?.startsWith(LATE) ? undefined : `${LATE}${specifier}`),
  },
  load: {
    filter: { id: new RegExp(`^${LATE}`) },
    handler: (id) => `module.exports = require('${id.slice(LATE.length)}');`,
  },
};

/**
 * Bundles the manager of the repository at `root` into the one file `output`; gives its size in bytes. CommonJS, because an ES
 * module that imports a module of Node loads even what that one keeps for later.
 * @throws when something imported cannot be found or parsed.
 */
export async function bundleManager(root: string, output: string): Promise<number> {
  const bundler = await rolldown({
    input: join(root, 'scripts', 'manage.ts'),
    platform: 'node',
    plugins: [loadNodeLate],
    onwarn: ({ message }) => {
      throw new Error(message);
    },
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
