import { basename, dirname, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readImports, readSourceFiles, type SourceFile } from '../scripts/docs/architecturePicture.ts';

/**
 * The rules of the folder tree, as a test: which layer may import which, who alone imports a package, which layers are pure,
 * where providers may be called by name, and how large files may be. CONTRIBUTING.md explains them.
 */
const root = resolve(import.meta.dirname, '..');

/** The layers that each layer may import; of those in `types` only types may be used. */
const MAY_IMPORT: Record<string, { layers: readonly string[]; types?: readonly string[] }> = {
  core: { layers: [] },
  host: { layers: [] },
  protocol: { layers: ['core'] },
  quirks: { layers: ['core', 'protocol'] },
  providers: { layers: ['core', 'quirks'] },
  config: { layers: ['core', 'quirks', 'providers'] },
  translate: { layers: ['core', 'protocol'], types: ['quirks'] },
  routing: { layers: ['core', 'protocol'], types: ['config', 'providers'] },
  resilience: { layers: ['core'] },
  telemetry: { layers: ['core'], types: ['config', 'providers'] },
  hooks: { layers: ['core'], types: ['telemetry'] },
  clients: { layers: ['core', 'telemetry'], types: ['config'] },
  upstream: { layers: ['core', 'protocol', 'providers', 'resilience'], types: ['config'] },
  gateway: {
    layers: [
      'core',
      'protocol',
      'quirks',
      'providers',
      'config',
      'translate',
      'routing',
      'resilience',
      'telemetry',
      'hooks',
      'upstream',
      'search',
      'clients',
    ],
    types: ['otlp'],
  },
  vision: { layers: ['core', 'protocol', 'resilience', 'telemetry', 'translate', 'gateway'], types: ['config'] },
  search: { layers: ['core', 'protocol', 'providers', 'upstream'], types: ['config'] },
  server: { layers: ['core', 'protocol', 'telemetry', 'gateway', 'routing'], types: ['config', 'otlp'] },
  permissions: { layers: ['config'] },
  reload: { layers: ['core', 'config'], types: ['gateway', 'telemetry'] },
  bench: { layers: ['scripts', 'cli'] },
  soak: { layers: ['bench', 'scripts', 'cli'] },
  cli: { layers: ['core', 'config', 'providers', 'quirks', 'host', 'telemetry', 'sink'] },
  otlp: { layers: ['core', 'telemetry'], types: ['config'] },
  sink: { layers: ['core', 'config', 'telemetry'] },
  page: { layers: ['core', 'cli'] },
  scripts: { layers: ['core', 'config', 'providers', 'quirks', 'host', 'telemetry', 'cli'] },
};

/** The files at the top of src put the instance together and may import every layer. */
const ENTRY = 'entry';

function layerOf(path: string): string {
  const [top, layer, rest] = path.split('/');
  if (top === 'scripts' || top === 'bench' || top === 'soak') return top;
  return rest === undefined ? ENTRY : (layer ?? ENTRY);
}

/** The files of the project that a file imports, from the root of the repository. */
function imported(file: SourceFile): string[] {
  return file.imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => relative(root, resolve(root, dirname(file.path), specifier)));
}

const source = readSourceFiles(root, 'src');
const scripts = readSourceFiles(root, 'scripts');
const everything = [...source, ...scripts, ...readSourceFiles(root, 'bench'), ...readSourceFiles(root, 'soak')];

function brokenLayerRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === ENTRY) return [];
    const rule = MAY_IMPORT[layer];
    if (rule === undefined) return [`${file.path}: the layer ${layer} has no rule`];
    return file.imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .flatMap(({ specifier, typeOnly }) => {
        const target = relative(root, resolve(root, dirname(file.path), specifier));
        const targetLayer = layerOf(target);
        const allowed =
          targetLayer === layer ||
          rule.layers.includes(targetLayer) ||
          (typeOnly && rule.types?.includes(targetLayer) === true);
        return allowed ? [] : [`${file.path} imports ${target}`];
      });
  });
}

test('layers import only the layers they may', () => {
  expect(brokenLayerRules(everything)).toEqual([]);
});

/** All that the page may know of the manager: what it gets from it. Of the rest it has what makes foreign text harmless. */
const CONTRACT = ['src/cli/ui/contract.ts', 'src/cli/ui/records.ts'];
test('the page and the contract between it and its server import nothing else of the project', () => {
  const files = source.filter(({ path }) => layerOf(path) === 'page' || CONTRACT.includes(path));
  const others = files.flatMap((file) =>
    imported(file).filter((path) => layerOf(path) !== 'page' && !CONTRACT.includes(path)),
  );
  expect(others).toEqual(['src/core/text.ts']);
});

test('the layer rules notice a forbidden import', () => {
  const file = (path: string, text: string) => ({ path, text, imports: readImports(text) });
  expect(
    brokenLayerRules([
      file('src/core/a.ts', "import { b } from '../gateway/b.ts';"),
      file('src/translate/a.ts', "import type { Settings } from '../quirks/settings.ts';"),
      file('src/translate/b.ts', "import { settings } from '../quirks/settings.ts';"),
      file('src/translate/c.ts', "import { type A, b } from '../quirks/settings.ts';"),
      file('src/server/a.ts', "export { send } from '../upstream/client.ts';"),
      file('src/cli/a.ts', "const a = await import('../server/app.ts');"),
    ]),
  ).toEqual([
    'src/core/a.ts imports src/gateway/b.ts',
    'src/translate/b.ts imports src/quirks/settings.ts',
    'src/translate/c.ts imports src/quirks/settings.ts',
    'src/server/a.ts imports src/upstream/client.ts',
    'src/cli/a.ts imports src/server/app.ts',
  ]);
});

/** Packages with the only file or folder that may import them. */
const SOLE_IMPORTERS: Record<string, RegExp> = {
  fastify: /^src\/(?:server\/|cli\/ui\/server\.ts$)/,
  preact: /^src\/page\//,
  'preact/hooks': /^src\/page\//,
  uplot: /^src\/page\//,
  undici: /^src\/upstream\//,
  dotenv: /^src\/config\/load\.ts$/,
  'rotating-file-stream': /^src\/telemetry\/log\//,
  pino: /^src\/telemetry\/logger\.ts$/,
  'zod/mini': /^src\/(?:config\/|cli\/supervisor\/health\.ts$)/,
  yaml: /^src\/config\/files\//,
  '@clack/prompts': /^src\/cli\/terminal\/prompt\.ts$/,
  jsonrepair: /^src\/translate\/response\//,
  postgres: /^src\/sink\/database\.ts$/,
  rolldown: /^scripts\/build/,
};

test('each package has one importer', () => {
  const seen = new Map<string, Set<string>>();
  for (const file of everything) {
    // The framework's types for wiring are allowed at the entry.
    for (const { specifier, typeOnly } of file.imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      if (typeOnly && layerOf(file.path) === ENTRY) continue;
      const files = seen.get(specifier) ?? new Set();
      seen.set(specifier, files.add(file.path));
    }
  }
  for (const [name, files] of seen) {
    const importer = SOLE_IMPORTERS[name];
    expect(importer, `${name} has no importer, but ${[...files].join(', ')} imports it`).toBeDefined();
    for (const path of files) expect(path, `${name} is imported by`).toMatch(importer ?? /^$/);
  }
  const rotation = seen.get('rotating-file-stream') ?? new Set();
  expect(rotation.size, 'one file wraps rotating-file-stream').toBe(1);
});

const PURE_LAYERS = ['core', 'protocol', 'quirks', 'providers', 'translate', 'routing', 'config'];
const PURE_BUILTINS = new Set(['node:crypto', 'node:path', 'node:buffer']);
const IMPURE_WORDS =
  /\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\brandomBytes\b|\brandomUUID\b|\bsetTimeout\(|\bfetch\(/;

test('pure layers have no files, network, clock, chance or process', () => {
  const impure = source
    .filter((file) => PURE_LAYERS.includes(layerOf(file.path)) && file.path !== 'src/config/load.ts')
    .flatMap((file) => [
      ...file.imports
        .filter(({ specifier }) => specifier.startsWith('node:') && !PURE_BUILTINS.has(specifier))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
      ...file.text
        .split('\n')
        .filter((line) => !/^\s*(?:\*|\/\/|\/\*)/.test(line) && IMPURE_WORDS.test(line))
        .map((line) => `${file.path}: ${line.trim()}`),
    ]);
  expect(impure).toEqual([]);
});

test('process.env and process.exit stand only at the entries', () => {
  // npmPackages has the text of one.
  const entries =
    /^(?:src\/(?:main|instance|cli\/main)|scripts\/(?:build|dev|docs|release|release\/npmPackages)|(?:bench|soak)\/(?:run|upstream))\.ts$/;
  const found = everything
    .filter((file) => !entries.test(file.path) && /\bprocess\.(?:env|exit)\b/.test(file.text))
    .map((file) => file.path);
  expect(found).toEqual([]);
});

test('no module keeps a cache of its own: what is remembered has an owner who hands it in', () => {
  const cache = /^(?:export )?(?:const|let) \w+[^\n]*= new Weak(?:Map|Set)\b/m;
  expect(source.filter((file) => cache.test(file.text)).map((file) => file.path)).toEqual([]);
});

const PROVIDER_NAMES =
  /kimi|moonshot|minimax|\bglm\b|zhipu|bigmodel|deepseek|openrouter|dashscope|qwen|gemini|mistral/i;
test('providers are called by name only in src/providers', () => {
  const named = everything
    .filter((file) => layerOf(file.path) !== 'providers')
    .flatMap((file) =>
      file.text
        .split('\n')
        .filter((line) => PROVIDER_NAMES.test(line))
        .map((line) => `${file.path}: ${line.trim()}`),
    );
  expect(named).toEqual([]);
});

const ENTRIES = [
  'src/main.ts',
  'src/instance.ts',
  'src/cli/main.ts',
  'src/page/main.tsx',
  'scripts/manage.ts',
  'scripts/build.ts',
  'scripts/dev.ts',
  'scripts/docs.ts',
  'scripts/release.ts',
];
test('only an entry imports an entry', () => {
  const importers = everything
    .filter((file) => !ENTRIES.includes(file.path))
    .filter((file) => imported(file).some((path) => ENTRIES.includes(path)));
  expect(importers.map((file) => file.path)).toEqual([]);
});

/** The files of a circle of imports below `start`, or nothing. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const circle = visit(next, [...way, path]);
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test('no import leads back to where it began, types included', () => {
  expect(findCircle(new Map(everything.map((file) => [file.path, imported(file)])))).toBeUndefined();
});

test('a circle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['d', 'b']],
    ['d', []],
  ]);
  expect(findCircle(graph)).toEqual(['b', 'c', 'b']);
});

/**
 * A file is a concept that a reader would look up. Above 400 lines it holds several; more than 300 files in `src` and `scripts`
 * means that concepts were cut into pieces, which nobody finds among their siblings. A folder that holds one feature for itself,
 * which a reader enters only for that feature, has a limit of its own.
 */
const MOST_LINES = 400;
const MOST_FILES = 300;
const MOST_FILES_OF_FEATURE: Readonly<Record<string, number>> = {
  'scripts/release/': 7,
  'src/cli/ui/': 12,
  'src/clients/': 4,
  'src/page/': 18,
  'src/search/': 7,
  'src/sink/': 5,
  'src/otlp/': 8,
  'src/vision/': 6,
};
test(`no file has more than ${MOST_LINES} lines`, () => {
  const lengths = everything.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
  expect(lengths.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
});
test(`src and scripts have at most ${MOST_FILES} files beside the folders of one feature`, () => {
  const features = Object.keys(MOST_FILES_OF_FEATURE);
  const others = [...source, ...scripts].filter((file) => !features.some((folder) => file.path.startsWith(folder)));
  expect(others.length).toBeLessThanOrEqual(MOST_FILES);
});
test.each(Object.entries(MOST_FILES_OF_FEATURE))('%s has at most %i files', (folder, most) => {
  const files = [...source, ...scripts].filter((file) => file.path.startsWith(folder));
  expect(files.length).toBeLessThanOrEqual(most);
});

/** Files of one name have one role, each in its own folder. */
const SAME_NAMES: Readonly<Record<string, string>> = {
  context: 'what the functions of the folder get',
  doctor: 'a command, and what it does',
  errors: 'the errors of the layer, as it reads or writes them',
  main: 'the entry of a program',
  messages: 'the Messages API: its routes, its endpoint, its translation',
  models: 'what a name and a price of a model are, and the models of a configuration',
  pm2: 'a command, and what it drives',
  providers: 'the providers file: a command, and its reader',
  reload: 'a command, and what it does',
  request: 'the Messages request: its type, and its translation',
  responseWriter: 'the interface, and the server’s implementation',
  service: 'a command, and what it does',
  settings: 'the settings of what the folder is about',
  start: 'a command, and what it does',
  usageView: 'what was used, for a terminal and for the page',
  version: 'a command, and what it shows',
};

function repeatedNames(paths: readonly string[]): string[] {
  const names = Map.groupBy(paths, (path) => basename(path).replace(/\..*$/, ''));
  return [...names].filter(([, members]) => members.length > 1).map(([name]) => name);
}

test('no two files have one name, unless it is one role in several folders', () => {
  const paths = [...source, ...scripts].map(({ path }) => path);
  expect(repeatedNames(paths).sort()).toEqual(Object.keys(SAME_NAMES).sort());
});

/** A file of a few lines is mostly a piece of another, which nobody looks for by itself. */
const FEWEST_LINES = 30;
const SHORT_FILES: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^src\/cli\/commands\/\w+\.ts$/, 'a command with its own specification'],
  [/^src\/cli\/(?:command|context)\.ts$/, 'types that all commands share'],
  [/^scripts\/(?:manage|dev|docs)\.ts$|^scripts\/statusline\.cjs$|^src\/page\/main\.tsx$/, 'an entry'],
  [
    /^scripts\/(?:build\/(?:executableMain\.cjs|undici\.js)|trace\/coverage\.ts)$/,
    'is loaded by itself in another process',
  ],
  [/^src\/config\/files\/loadYaml\.c[jt]s$/, 'only CommonJS can load the package late and at once'],
  [/^src\/version\.ts$/, 'the build puts the version in there'],
  [/^src\/core\/clock\.ts$/, 'what time is, for every layer'],
  [/^src\/host\/heap\.ts$/, 'nothing else of the host is about V8'],
  [/^src\/protocol\/anthropic\/errors\.ts$/, 'errors of the API, as those of openai have a file'],
  [/^src\/providers\/\w+\.ts$/, 'a vendor'],
];

test(`a file of less than ${FEWEST_LINES} lines has a reason`, () => {
  const short = [...source, ...scripts].filter(({ text }) => text.split('\n').length - 1 < FEWEST_LINES);
  const unexplained = short.filter(({ path }) => !SHORT_FILES.some(([pattern]) => pattern.test(path)));
  expect(unexplained.map(({ path }) => path)).toEqual([]);
});
