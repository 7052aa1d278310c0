import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/**
 * The house rules of the folder tree, as a test: who may import whom, which room holds the only door to a package, which
 * rooms are pure, and where providers may be called by name. CONTRIBUTING.md explains them.
 */
const root = resolve(import.meta.dirname, '..');

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT =
  /^\s*(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

function readImports(text: string): Import[] {
  return [...text.matchAll(STATEMENT)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? '';
    const names = /\{([^}]*)\}/.exec(match[0])?.[1]?.split(',') ?? [];
    const allTypes = names.length > 0 && names.every((name) => name.trim() === '' || name.trim().startsWith('type '));
    return { specifier, typeOnly: match[1] !== undefined || allTypes };
  });
}

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: readImports(text) };
    });
}

/** Rooms that each room may import; `types` marks rooms of which only types may be used. */
const MAY_IMPORT: Record<string, { rooms: readonly string[]; types?: readonly string[] }> = {
  core: { rooms: [] },
  host: { rooms: [] },
  protocol: { rooms: ['core'] },
  quirks: { rooms: ['core', 'protocol'] },
  providers: { rooms: ['core', 'quirks'] },
  config: { rooms: ['core', 'quirks', 'providers'] },
  translate: { rooms: ['core', 'protocol'], types: ['quirks'] },
  routing: { rooms: ['core', 'protocol'], types: ['config', 'providers'] },
  resilience: { rooms: ['core'] },
  telemetry: { rooms: ['core'], types: ['config', 'providers'] },
  hooks: { rooms: ['core'], types: ['telemetry'] },
  upstream: { rooms: ['core', 'protocol', 'resilience'], types: ['config'] },
  gateway: {
    rooms: [
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
    ],
  },
  server: { rooms: ['core', 'protocol', 'telemetry', 'gateway', 'routing'], types: ['config'] },
  permissions: { rooms: ['config'] },
  reload: { rooms: ['core', 'config'], types: ['gateway', 'telemetry'] },
  bench: { rooms: ['scripts'] },
  soak: { rooms: ['bench', 'scripts'] },
  scripts: { rooms: ['core', 'config', 'providers', 'quirks', 'host', 'telemetry'] },
};

/** The files at the top of src put the instance together and may import every room. */
const ENTRY = 'entry';

function roomOf(path: string): string {
  const [top, room, rest] = path.split('/');
  if (top === 'scripts' || top === 'bench' || top === 'soak') return top;
  return rest === undefined ? ENTRY : (room ?? ENTRY);
}

const source = sourceFiles('src');
const scripts = sourceFiles('scripts');
const everything = [...source, ...scripts, ...sourceFiles('bench'), ...sourceFiles('soak')];

function brokenRoomRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    if (room === ENTRY) return [];
    const rule = MAY_IMPORT[room];
    if (rule === undefined) return [`${file.path}: the room ${room} has no rule`];
    return file.imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .flatMap(({ specifier, typeOnly }) => {
        const target = relative(root, resolve(root, dirname(file.path), specifier));
        const targetRoom = roomOf(target);
        const allowed =
          targetRoom === room ||
          rule.rooms.includes(targetRoom) ||
          (typeOnly && rule.types?.includes(targetRoom) === true);
        return allowed ? [] : [`${file.path} imports ${target}`];
      });
  });
}

test('rooms import only the rooms they may', () => {
  expect(brokenRoomRules(everything)).toEqual([]);
});

test('the room rules notice a forbidden import', () => {
  const file = (path: string, text: string) => ({ path, text, imports: readImports(text) });
  expect(
    brokenRoomRules([
      file('src/core/a.ts', "import { b } from '../gateway/b.ts';"),
      file('src/translate/a.ts', "import type { Settings } from '../quirks/settings.ts';"),
      file('src/translate/b.ts', "import { settings } from '../quirks/settings.ts';"),
      file('src/translate/c.ts', "import { type A, b } from '../quirks/settings.ts';"),
      file('src/server/a.ts', "export { send } from '../upstream/client.ts';"),
      file('scripts/manage/a.ts', "const a = await import('../../src/server/app.ts');"),
    ]),
  ).toEqual([
    'src/core/a.ts imports src/gateway/b.ts',
    'src/translate/b.ts imports src/quirks/settings.ts',
    'src/translate/c.ts imports src/quirks/settings.ts',
    'src/server/a.ts imports src/upstream/client.ts',
    'scripts/manage/a.ts imports src/server/app.ts',
  ]);
});

/** Packages with the only file or room that may import them. */
const DOORS: Record<string, RegExp> = {
  fastify: /^src\/server\//,
  undici: /^src\/upstream\//,
  dotenv: /^src\/config\/envFile\.ts$/,
  'rotating-file-stream': /^src\/telemetry\/[^/]+\.ts$/,
  pino: /^src\/telemetry\/logger\.ts$/,
  'zod/mini': /^src\/config\//,
  yaml: /^src\/config\/document\//,
  jsonrepair: /^src\/translate\/stream\//,
  rolldown: /^scripts\/build/,
};

test('each package has one door', () => {
  const seen = new Map<string, Set<string>>();
  for (const file of everything) {
    // The framework's types for wiring are allowed at the entry.
    for (const { specifier, typeOnly } of file.imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      if (typeOnly && roomOf(file.path) === ENTRY) continue;
      const files = seen.get(specifier) ?? new Set();
      seen.set(specifier, files.add(file.path));
    }
  }
  for (const [name, files] of seen) {
    const door = DOORS[name];
    expect(door, `${name} has no door, but ${[...files].join(', ')} imports it`).toBeDefined();
    for (const path of files) expect(path, `${name} is imported by`).toMatch(door ?? /^$/);
  }
  const rotation = seen.get('rotating-file-stream') ?? new Set();
  expect(rotation.size, 'one file wraps rotating-file-stream').toBe(1);
});

const PURE_ROOMS = ['core', 'protocol', 'quirks', 'providers', 'translate', 'routing', 'config'];
const PURE_BUILTINS = new Set(['node:crypto', 'node:path', 'node:buffer']);
const IMPURE_WORDS =
  /\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.|\brandomBytes\b|\brandomUUID\b|\bsetTimeout\(|\bfetch\(/;

test('pure rooms have no files, network, clock, chance or process', () => {
  const impure = source
    .filter((file) => PURE_ROOMS.includes(roomOf(file.path)) && file.path !== 'src/config/envFile.ts')
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
  const entries = /^(?:src\/(?:main|instance)|scripts\/(?:manage|build|docs)|(?:bench|soak)\/(?:run|upstream))\.ts$/;
  const found = everything
    .filter((file) => !entries.test(file.path) && /\bprocess\.(?:env|exit)\b/.test(file.text))
    .map((file) => file.path);
  expect(found).toEqual([]);
});

const PROVIDER_NAMES =
  /kimi|moonshot|minimax|\bglm\b|zhipu|bigmodel|deepseek|openrouter|dashscope|qwen|gemini|mistral/i;
test('providers are called by name only in src/providers', () => {
  const named = everything
    .filter((file) => roomOf(file.path) !== 'providers')
    .flatMap((file) =>
      file.text
        .split('\n')
        .filter((line) => PROVIDER_NAMES.test(line))
        .map((line) => `${file.path}: ${line.trim()}`),
    );
  expect(named).toEqual([]);
});

test('nobody imports an entry', () => {
  const importers = everything
    .filter((file) => file.path !== 'src/main.ts')
    .filter((file) =>
      file.imports.some(({ specifier }) => /\/(?:main|instance|manage|build|docs)\.ts$/.test(specifier)),
    )
    .map((file) => file.path);
  expect(importers.filter((path) => !path.startsWith('scripts/'))).toEqual([]);
});

test('files stay small', () => {
  const lengths = everything.map((file) => ({ path: file.path, lines: file.text.split('\n').length }));
  expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
});
