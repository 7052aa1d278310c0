import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { code, markdownTable } from './markdown.ts';

export interface Import {
  /** As it is written, such as `../core/json.ts` or `node:fs`. */
  readonly specifier: string;
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** Relative to the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT =
  /^\s*(?:import|export)\s+(type\s+)?[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

/** What a TypeScript file of this project imports or exports again, imports at run time included. */
export function readImports(text: string): readonly Import[] {
  return [...text.matchAll(STATEMENT)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? '';
    const names = /\{([^}]*)\}/.exec(match[0])?.[1]?.split(',') ?? [];
    const allTypes = names.length > 0 && names.every((name) => name.trim() === '' || name.trim().startsWith('type '));
    return { specifier, typeOnly: match[1] !== undefined || allTypes };
  });
}

/** All TypeScript files below a folder of the project at `root`. */
export function readSourceFiles(root: string, folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((name) => {
      const path = join(folder, name).replaceAll('\\', '/');
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: readImports(text) };
    });
}

/** The file of the project that an import names, as a path; undefined for packages and Node's own modules. */
export function importedPath(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative('/', resolve('/', dirname(file), specifier)).replaceAll('\\', '/');
}

export interface FolderEdge {
  readonly from: string;
  readonly to: string;
  /** Whether only types are imported. */
  readonly typeOnly: boolean;
}

/** The folder of `src/` in which a file stands; `*.ts` for the files at its top. */
export function folderOf(path: string): string {
  const [, folder, rest] = path.split('/');
  return rest === undefined || folder === undefined ? '*.ts' : folder;
}

/** Who imports whom, folder by folder, without what a folder imports from itself. */
export function folderEdges(files: readonly SourceFile[]): readonly FolderEdge[] {
  const edges = new Map<string, FolderEdge>();
  for (const { path, imports } of files) {
    for (const { specifier, typeOnly } of imports) {
      const target = importedPath(path, specifier);
      if (target === undefined || !target.startsWith('src/')) continue;
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to) continue;
      const key = `${from} ${to}`;
      edges.set(key, { from, to, typeOnly: typeOnly && (edges.get(key)?.typeOnly ?? true) });
    }
  }
  return [...edges.values()];
}

/**
 * The edges without those that follow from others: where a imports b and b imports c, a may import c too, and no line needs to say so.
 * @throws Error when the folders import each other in a circle
 */
export function reduceEdges(edges: readonly FolderEdge[]): readonly FolderEdge[] {
  const targets = Map.groupBy(edges, ({ from }) => from);
  const reach = (from: string, path: readonly string[]): Set<string> => {
    if (path.includes(from)) throw new Error(`folders import each other: ${[...path, from].join(' -> ')}`);
    const next = (targets.get(from) ?? []).map(({ to }) => to);
    return new Set([...next, ...next.flatMap((to) => [...reach(to, [...path, from])])]);
  };
  const reached = new Map(edges.map(({ to }) => [to, reach(to, [])]));
  return edges.filter(
    ({ from, to }) => !(targets.get(from) ?? []).some((other) => other.to !== to && reached.get(other.to)?.has(to)),
  );
}

export interface Folder {
  /** Where it stands in the picture. */
  readonly row: number;
  readonly column: number;
  /** What it holds, in a few words for the picture. */
  readonly label: string;
  readonly about: string;
}

const place = (row: number, column: number, label: string, about: string): Folder => ({ row, column, label, about });

/** The folders of `src/`, those above that import others; `*.ts` are the files at its top. */
export const folders: Readonly<Record<string, Folder>> = {
  page: place(0, 0, 'in the browser', 'the page of `./manage ui`, which runs in a browser'),
  cli: place(1, 0, './manage', 'the manager: commands, PM2, Claude Code, doctor, import, the server of the page'),
  '*.ts': place(1, 2.5, 'one instance', 'the entry of an instance, which puts its parts together, listens and stops'),
  host: place(2, 1, 'asks the machine', 'who listens on a port, which processes an instance has'),
  permissions: place(
    2,
    2,
    'gives up rights',
    'takes from the process, by Node’s permission model, what it does not need',
  ),
  reload: place(2, 3, 'notices changed files', 'watches the configuration and takes a changed one over'),
  vision: place(
    2,
    5,
    'describes pictures',
    'pictures for models that see none: a side model describes them, and what it says is kept',
  ),
  server: place(2, 4, 'HTTP, access, routes', 'HTTP with the web framework: access checks, routes, answers'),
  gateway: place(
    3,
    4,
    'plan, fallback, answer',
    'one request: its candidates (the models that may serve it, in order), fallback and retries, an adapter per protocol',
  ),
  clients: place(4, 8, 'tokens and limits', 'what clients with tokens of their own may use, and have used'),
  hooks: place(4, 1, 'functions of the user', 'the thread that runs functions of the user'),
  routing: place(4, 3, 'which model serves', 'from the name and kind of a request to models and providers'),
  search: place(
    4,
    7,
    'searches the web',
    'searches the web for models that cannot: asks search APIs, and answers in Anthropic’s shape',
  ),
  sink: place(
    2,
    0,
    'usage in PostgreSQL',
    'copies usage into a PostgreSQL database that several machines share, and reads it there',
  ),
  otlp: place(4, 8, 'traces, metrics', 'sends traces and metrics to an OpenTelemetry collector'),
  upstream: place(
    5,
    4,
    'calls to providers',
    'the only HTTP client: sending, time limits, failures, the demo provider',
  ),
  translate: place(
    4,
    5,
    'requests, answers',
    'from the Messages API to OpenAI’s two APIs and back, without input or output',
  ),
  resilience: place(4, 6, 'circuit, queue, keys', 'circuit breaker, concurrency limiter, key pool, retry budget'),
  telemetry: place(5, 1, 'log, usage, metrics', 'log files, usage and cost, metrics, lines for a terminal'),
  config: place(6, 2, 'env and other files', 'from an env file and the files beside it to one checked configuration'),
  providers: place(7, 2, 'facts per provider', 'a preset per provider: addresses, models, prices, quirks'),
  quirks: place(
    8,
    3,
    'how providers differ',
    'quirks: what providers do differently, as settings, and the repairs that these switch on',
  ),
  protocol: place(
    9,
    3,
    'SSE, JSON, both APIs',
    'server-sent events, deltas (the pieces of a streamed answer), JSON, the forms of both APIs',
  ),
  core: place(10, 4, 'errors, secrets, text', 'the table of errors, secrets, text, time: what everything may use'),
};

/** The folders in a table, in the order of their names. */
export function foldersSection(): string {
  const rows = Object.entries(folders).map(([name, { about }]) => [code(pathOf(name)), about]);
  return markdownTable(['folder', 'what is in it'], rows.sort());
}

const BOX = { width: 148, height: 44 };
const GAP = { across: 14, down: 38 };
const MARGIN = 16;

const pathOf = (name: string) => (name === '*.ts' ? 'src/*.ts' : `src/${name}/`);
const leftOf = ({ column }: Folder) => MARGIN + column * (BOX.width + GAP.across);
const middleOf = (folder: Folder) => leftOf(folder) + BOX.width / 2;
const topOf = ({ row }: Folder) => MARGIN + row * (BOX.height + GAP.down);
const bottomOf = (folder: Folder) => topOf(folder) + BOX.height;

/**
 * A line that goes straight down from a folder, and bends just above the one that it imports.
 * @throws Error for a folder without a place, and when the line would go up, or through another folder
 */
function drawLine({ from, to, typeOnly }: FolderEdge, places: ReadonlyMap<string, Folder>): string {
  const find = (name: string): Folder => {
    const folder = places.get(name);
    if (folder === undefined) throw new Error(`src/${name} needs a place in scripts/docs/architecturePicture.ts`);
    return folder;
  };
  const [upper, lower] = [find(from), find(to)];
  const isBetween = ({ row, column }: Folder) =>
    row > upper.row && row < lower.row && Math.abs(column - upper.column) < 1;
  const [hit] = [...places].find(([, folder]) => isBetween(folder)) ?? [];
  if (hit !== undefined || upper.row >= lower.row) {
    const where = hit === undefined ? 'up' : `through ${hit}`;
    throw new Error(`the line from ${from} to ${to} goes ${where}: give a folder another place`);
  }
  const [x, end, bottom] = [middleOf(upper), middleOf(lower), topOf(lower)];
  const bend = bottom - GAP.down;
  const half = bottom - GAP.down / 2;
  const path = `M${x} ${bottomOf(upper)} V${bend} C${x} ${half} ${end} ${half} ${end} ${bottom}`;
  return `<path d="${path}"${typeOnly ? ' stroke-dasharray="5 4"' : ''}/>`;
}

function drawBox([name, folder]: [string, Folder]): string[] {
  const [x, y] = [leftOf(folder), topOf(folder)];
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="#ddf4ff" stroke="#54aeff"/>`,
    `<text x="${middleOf(folder)}" y="${y + 18}" font-weight="600">${name === '*.ts' ? name : `${name}/`}</text>`,
    `<text x="${middleOf(folder)}" y="${y + 34}" font-size="12" fill="#57606a">${folder.label}</text>`,
  ];
}

/**
 * The folders of `src/` as an SVG file, each above those that it imports.
 * @param edges who imports whom; an edge beside a longer way over other folders is not drawn
 * @param places the folders by their names
 * @throws Error when a folder has no place, there is no such folder, or folders import each other in a circle
 */
export function drawArchitecture(edges: readonly FolderEdge[], places: ReadonlyMap<string, Folder>): string {
  const names = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const gone = [...places.keys()].find((name) => !names.has(name));
  if (gone !== undefined) throw new Error(`src/${gone} is in the picture, but imports nothing and is not imported`);
  const lines = reduceEdges(edges).map((edge) => drawLine(edge, places));
  const all = [...places.values()];
  const width = Math.max(...all.map(leftOf)) + BOX.width + MARGIN;
  const height = Math.max(...all.map(bottomOf)) + MARGIN;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>The folders of src/, each above those that it imports</title>',
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    '<g fill="none" stroke="#8c959f" stroke-width="1.5">',
    ...lines.sort(),
    '</g>',
    '<g font-family="system-ui, sans-serif" font-size="14" fill="#1f2328" text-anchor="middle">',
    ...[...places].flatMap(drawBox),
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

/** docs/pictures/architecture.svg, drawn from the imports of all files in `src/`. */
export function architecturePicture(root: string): string {
  return drawArchitecture(folderEdges(readSourceFiles(root, 'src')), new Map(Object.entries(folders)));
}
