import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

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
    .filter((name) => name.endsWith('.ts'))
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
