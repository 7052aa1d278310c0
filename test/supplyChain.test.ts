import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundle } from '../scripts/build/bundler.ts';
import { closureOf } from '../scripts/release/licences.ts';

const root = join(import.meta.dirname, '..');
const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: unknown;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Record<string, string>;
}

const manifest = readJson('package.json');
const lock: Record<string, Locked> = readJson('package-lock.json').packages;
const packages = Object.entries(lock).filter(([path]) => path !== '');
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Licences that ask for no more than to be named. */
const PERMISSIVE = [
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'MIT OR Apache-2.0',
  '0BSD',
  'Python-2.0',
  'Unlicense',
];
/** Each of these was looked at. */
const LOOKED_AT: Record<string, string> = {
  pm2: 'AGPL-3.0: started as a program of its own, never imported or bundled (decision 0010)',
  '@pm2/js-api': 'Apache-2, as it spells it',
  'cli-tableau': 'names none in its manifest; MIT in its LICENSE file',
  tv4: 'public domain or MIT, in an old form',
};
/** Of tools, which are not part of what is given to others. */
const TOOLS_ONLY = ['MPL-2.0', '(AFL-2.1 OR BSD-3-Clause)'];

test('K1 every package is pinned and has its hash, and none runs a script when it is installed', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  expect(Object.entries<string>(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  expect(packages.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)).toEqual([]);
});

test('K2 npm runs no scripts, keeps versions exact and takes none younger than a week', () => {
  const settings = readFileSync(join(root, '.npmrc'), 'utf8').split('\n');
  expect(settings).toEqual(expect.arrayContaining(['ignore-scripts=true', 'min-release-age=7', 'save-exact=true']));
});

test('K3 the bill of materials names everything that is needed to run', { timeout: 60_000 }, () => {
  // Tools stand in it, too: with --omit=dev npm leaves out what a tool may also use, as undici or yaml.
  const words = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
  const text = execFileSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const { bomFormat, components } = JSON.parse(text);
  expect(bomFormat).toBe('CycloneDX');
  const listed = new Set(components.map(({ name, version }: Record<string, string>) => `${name}@${version}`));
  const needed = [...closureOf(lock, Object.keys(manifest.dependencies))].map(
    (path) => `${nameOf(path)}@${lock[path]?.version}`,
  );
  expect(needed.filter((one) => !listed.has(one))).toEqual([]);
});

test('K4 all licences are permissive, or were looked at', () => {
  const others = packages.filter(([path, { license, dev, devOptional }]) => {
    const isTool = dev === true || devOptional === true;
    const allowed = isTool ? [...PERMISSIVE, ...TOOLS_ONLY] : PERMISSIVE;
    return !allowed.includes(String(license)) && LOOKED_AT[nameOf(path)] === undefined;
  });
  expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

test('K5 at most 60 packages are in the executable', () => {
  // PM2 is started as a program, and the questions of the manager are in the manager alone.
  const { pm2: _, '@clack/prompts': __, ...bundled } = manifest.dependencies;
  const inside = closureOf(lock, Object.keys(bundled));
  console.info(`K5: ${inside.size} packages, and ${closureOf(lock, ['pm2']).size} of PM2`);
  expect(inside.size).toBeGreaterThan(20);
  expect(inside.size).toBeLessThanOrEqual(60);
});

test('K8 the same sources give the same dist/main.cjs, wherever they lie', { timeout: 120_000 }, async () => {
  const work = mkdtempSync(join(tmpdir(), 'claude-code-proxy-build-'));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  cpSync(join(root, 'src'), join(work, 'elsewhere/src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(work, 'elsewhere/package.json'));
  symlinkSync(join(root, 'node_modules'), join(work, 'elsewhere/node_modules'));
  const hashes: string[] = [];
  for (const [index, from] of [root, join(work, 'elsewhere')].entries()) {
    const output = join(work, `bundle${index}`);
    await bundle(join(from, 'src/main.ts'), join(output, 'main.cjs'), '1.2.3');
    const hash = createHash('sha256');
    for (const name of readdirSync(output).sort()) hash.update(name).update(readFileSync(join(output, name)));
    hashes.push(hash.digest('hex'));
  }
  expect(hashes[0]).toBe(hashes[1]);
});
