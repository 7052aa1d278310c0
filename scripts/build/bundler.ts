import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Plugin, type RolldownLog, rolldown } from 'rolldown';

/** Modules of packages that an instance never uses and that stubs replace, by what is done with them at the start nevertheless. */
export const stubbedModules: Readonly<Record<string, 'imported' | 'called'>> = {
  // Bodies are text or bytes and never forms, and providers are spoken to by HTTP/1.1 (src/upstream/client.ts).
  'undici/lib/dispatcher/client-h2.js': 'imported',
  'undici/lib/web/fetch/body.js': 'imported',
  'undici/lib/web/fetch/formdata.js': 'imported',
  'undici/lib/web/webidl/index.js': 'imported',
  // Routes have no JSON schemas.
  '@fastify/ajv-compiler/index.js': 'called',
  '@fastify/fast-json-stringify-compiler/index.js': 'called',
  // No plugin names the versions of Fastify that it is for, and no request is made without a socket.
  'semver/index.js': 'imported',
  'light-my-request/index.js': 'imported',
};

/**
 * Modules of Node that single packages go without: kinds of servers that nobody starts, and the compression of log files, which is done
 * elsewhere (src/telemetry/log/retention.ts). What others import from Node is what they get.
 */
export const stubbedForPackages: Readonly<Record<string, readonly string[]>> = {
  fastify: ['node:http2', 'node:https'],
  'rotating-file-stream': ['child_process', 'zlib'],
};

const STUB = '\0stub:';

/** The text of a stub: whoever uses anything of the module fails. */
function stubOf(name: string, use: 'imported' | 'called'): string {
  const words = JSON.stringify(`${name} is left out of this program (stubbedModules in scripts/build/bundler.ts)`);
  const refuse = `function refuse() { throw new Error(${words}); }`;
  if (use === 'called') return `${refuse} module.exports = () => refuse;`;
  return `${refuse} module.exports = new Proxy(refuse, { construct: refuse, get: refuse });`;
}

/** The path of a module of a package, seen from the folder of the packages; empty for other modules. */
function nameInPackages(path: string): string {
  const [, ...names] = path.replaceAll('\\', '/').split('/node_modules/');
  return names.at(-1) ?? '';
}

/**
 * Puts stubs in the place of what packages bring along, load and evaluate at each start, and an instance never uses: together with
 * scripts/build/undici.js 1.1 of 2.5 MB, 32 ms of the start and 11 MiB of memory. Nothing of it can be used unnoticed (decision 0022).
 */
const stubModules: Plugin = {
  name: 'stub-modules',
  resolveId: {
    filter: { id: new RegExp(`^(?:${Object.values(stubbedForPackages).flat().join('|')})$`) },
    handler: (name, importer = '') => {
      const [packageName = ''] = nameInPackages(importer).split('/');
      return stubbedForPackages[packageName]?.includes(name) ? `${STUB}${name}` : undefined;
    },
  },
  load: (id) => {
    // That of logs keeps the functions that it imports, whether it will call them or not.
    if (id.startsWith(STUB))
      return stubOf(id.slice(STUB.length), id.startsWith(`${STUB}node:`) ? 'imported' : 'called');
    const name = nameInPackages(id);
    const use = stubbedModules[name];
    return use === undefined ? undefined : stubOf(name, use);
  },
};

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
    plugins: [stubModules],
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
 * Bundles the manager, or another script of the repository at `root`, into the one file `output`; gives its size in bytes. CommonJS,
 * because an ES module that imports a module of Node loads even what that one keeps for later (decision 0023).
 * @throws when something imported cannot be found or parsed.
 */
export async function bundleManager(root: string, output: string, script = 'manage.ts'): Promise<number> {
  const bundler = await rolldown({
    input: join(root, 'scripts', script),
    platform: 'node',
    plugins: [stubModules, loadNodeLate],
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

const PAGE = 'page';
/** The style sheet of what draws the plots, as its package brings it. */
const PLOT_STYLES = createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css');

/**
 * Bundles the page of the repository at `root` into the folder `output`, from which `./manage ui` serves it: one script, one style
 * sheet, and the files of `src/page/` that are served as they are. Gives the size of all in bytes.
 * @throws when something imported cannot be found or parsed.
 */
export async function bundlePage(root: string, output: string): Promise<number> {
  const folder = join(root, 'src', PAGE);
  await mkdir(output, { recursive: true });
  const bundler = await rolldown({
    input: join(folder, 'main.tsx'),
    platform: 'browser',
    tsconfig: false, // which says the same of JSX, and leads on to a file that a built checkout need not have
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    onwarn: ({ message }) => {
      throw new Error(message);
    },
  });
  try {
    await bundler.write({ file: join(output, 'page.js'), format: 'es', codeSplitting: false, minify: true });
  } finally {
    await bundler.close();
  }
  const names = (await readdir(folder)).sort();
  const styles = names.filter((name) => name.endsWith('.css')).map((name) => join(folder, name));
  const sheets = await Promise.all([PLOT_STYLES, ...styles].map((path) => readFile(path, 'utf8')));
  await writeFile(join(output, 'page.css'), sheets.join('\n'));
  const asTheyAre = names.filter((name) => /\.(?:html|svg)$/.test(name));
  await Promise.all(asTheyAre.map((name) => copyFile(join(folder, name), join(output, name))));
  const made = await readdir(output);
  const sizes = await Promise.all(made.map(async (name) => (await stat(join(output, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
