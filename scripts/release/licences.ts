import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What package-lock.json says of a package. */
export interface LockedPackage {
  readonly version: string;
  readonly license?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The packages of package-lock.json by where they lie. */
export type Lock = Readonly<Record<string, LockedPackage>>;

/** Where a package that lies at `from` finds another: in its own folder, or in that of one around it. */
function findPackage(lock: Lock, from: string, name: string): string | undefined {
  const around = from
    .split('/node_modules/')
    .map((_, index, parts) => parts.slice(0, index + 1).join('/node_modules/'));
  const folders = [...around.reverse().map((path) => `${path}/node_modules/`), 'node_modules/'];
  return folders.map((folder) => folder + name).find((path) => lock[path] !== undefined);
}

/** Everything that the packages bring, themselves included, as it lies in node_modules. */
export function closureOf(lock: Lock, names: readonly string[]): Set<string> {
  const found = new Set(names.map((name) => `node_modules/${name}`));
  for (const path of found) {
    for (const name of Object.keys(lock[path]?.dependencies ?? {})) {
      const needed = findPackage(lock, path, name);
      if (needed !== undefined) found.add(needed);
    }
  }
  return found;
}

/** Libraries of the page, which are in its bundle and are needed by no instance. */
const OF_PAGE = ['preact', 'uplot'];

/** The packages that are bundled, as they lie in node_modules: all but PM2, which is started as a program of its own. */
export function bundledPackages(lock: Lock, dependencies: Readonly<Record<string, string>>): string[] {
  const { pm2: _, ...bundled } = dependencies;
  return [...closureOf(lock, [...Object.keys(bundled), ...OF_PAGE])].sort();
}

/** The text of a package's licence; undefined when it brings none. */
async function licenceText(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  const name = names.find((candidate) => /^(?:licen[cs]e|copying)/i.test(candidate));
  return name === undefined ? undefined : (await readFile(join(folder, name), 'utf8')).trim();
}

const LINE = `\n${'-'.repeat(80)}\n`;

/**
 * The licences of all that is in the executable and in the manager: of Node.js, and of each package.
 * @param node folder of the package with Node, which brings those of V8, OpenSSL and the rest of it
 */
export async function thirdPartyLicences(root: string, node: string): Promise<string> {
  const lock: Lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')).packages;
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const parts: string[] = [];
  for (const path of bundledPackages(lock, dependencies)) {
    const { version, license } = lock[path] ?? {};
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const text = await licenceText(join(root, path));
    parts.push(
      `${name} ${version}: ${license}\n\n${text ?? `It names its licence, ${license}, and brings no text of it.`}\n`,
    );
  }
  const ofNode = await licenceText(node);
  if (ofNode === undefined) throw new Error(`${node} has no licence of Node.js.`);
  const head = 'claude-code-proxy holds Node.js and these libraries. Each is under its own licence, which follows.\n';
  return [head, ...parts, `Node.js\n\n${ofNode}\n`].join(LINE);
}
