import './build/pinnedNode.cjs';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from './build.ts';
import { readEntries, sumLine, tarZst, zip } from './release/archives.ts';
import { makeDebianPackage, type Release } from './release/debian.ts';
import { type ExecutableFolders, makeExecutables } from './release/executables.ts';
import { thirdPartyLicences } from './release/licences.ts';
import { LICENCES, makePackages } from './release/npmPackages.ts';
import { platformOf, platforms } from './release/platforms.ts';

const run = promisify(execFile);

const NAME = 'claude-code-proxy';
const USAGE = `npm run release [-- OPTION...]: makes all that a release has, in dist/release

  --platforms LIST    some of ${Object.keys(platforms).join(',')}; all when absent
  --executables       only the executables, in dist/release/executables, so that those of macOS can be signed
  --pack              only what is made of the executables that are there
  --base-url URL      where the files will be downloaded from, for install.sh
`;

type Report = (line: string) => void;

/** The time that all files bear: of the last commit, so that the same sources give the same bytes. Now, where there is none. */
async function releaseTime(root: string, environment: NodeJS.ProcessEnv): Promise<Date> {
  const given = environment['SOURCE_DATE_EPOCH'];
  const words = ['log', '-1', '--format=%ct'];
  const seconds =
    given ??
    (await run('git', words, { cwd: root })
      .then(({ stdout }) => stdout.trim())
      .catch(() => ''));
  return seconds === '' ? new Date() : new Date(Number(seconds) * 1000);
}

/** The bill of materials, without its chance parts. */
async function writeBillOfMaterials(root: string, path: string, time: Date): Promise<void> {
  const words = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
  const { stdout } = await run('npm', words, { cwd: root, maxBuffer: 1e8, shell: process.platform === 'win32' });
  const { serialNumber: _, ...bill } = JSON.parse(stdout);
  bill.metadata.timestamp = time.toISOString();
  await writeFile(path, `${JSON.stringify(bill, undefined, 2)}\n`);
}

/** Makes both archives of a platform: the executable, the examples of env files, a page and the licences. */
async function makeArchives(
  { root, output, licences, version, time }: Release,
  name: string,
  executable: string,
): Promise<string[]> {
  const title = `${NAME}-${version}-${name}`;
  const work = await mkdtemp(join(output, 'new-'));
  try {
    const folder = join(work, title);
    await cp(executable, folder, { recursive: true });
    await rm(join(folder, 'build.json'));
    await cp(join(root, 'deploy', 'archive.md'), join(folder, 'README.md'));
    await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
    await writeFile(join(folder, LICENCES), licences);
    await mkdir(join(folder, 'envs'));
    for (const example of await readdir(join(root, 'envs')))
      if (example.endsWith('.example')) await cp(join(root, 'envs', example), join(folder, 'envs', example));
    const entries = await readEntries(work);
    const files = { [`${title}.tar.zst`]: tarZst(entries, time), [`${title}.zip`]: zip(entries, time) };
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(output, file), bytes);
    return Object.keys(files).map((file) => join(output, file));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** install.sh, with the address from which it downloads, where that is known. */
async function writeInstaller(root: string, path: string, baseUrl: string): Promise<void> {
  const text = await readFile(join(root, 'deploy', 'install.sh'), 'utf8');
  await writeFile(
    path,
    text.replace("RELEASE=''", () => `RELEASE='${baseUrl}'`),
    { mode: 0o755 },
  );
}

/**
 * Makes all files of a release in `output` out of executables.
 * @param baseUrl from which they will be downloaded; empty when that is not known
 * @returns their paths, SHA256SUMS the last
 * @throws when a step fails
 */
export async function packRelease(
  root: string,
  output: string,
  executables: ExecutableFolders,
  time: Date,
  baseUrl: string,
  report: Report,
): Promise<string[]> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const licences = await thirdPartyLicences(root, resolve(process.execPath, '..', '..'));
  const release: Release = { root, output, version, time, licences };
  const tarballs = await makePackages(root, join(output, 'npm'), undefined, executables);
  const files: string[] = [];
  for (const [name, executable] of Object.entries(executables)) {
    files.push(...(await makeArchives(release, name, executable)));
    const { debian } = platformOf(name);
    if (debian === undefined) continue;
    const made = await makeDebianPackage(release, debian, executable);
    if (made === undefined) report(`no package for Debian (${debian}), as dpkg-deb is missing here`);
    else files.push(made);
  }
  const bill = join(output, `${NAME}-${version}.cdx.json`);
  await writeBillOfMaterials(root, bill, time);
  const installer = join(output, 'install.sh');
  await writeInstaller(root, installer, baseUrl);
  files.push(bill, installer);
  const sums = join(output, 'SHA256SUMS');
  const lines = [...tarballs, ...files].map((path) => sumLine(path, basename(path)));
  await writeFile(sums, (await Promise.all(lines)).join(''));
  return [...tarballs, ...files, sums];
}

/** The executables that an earlier call has made, by platform. */
async function findExecutables(output: string, names: readonly string[]): Promise<ExecutableFolders> {
  const folders = names.map((name) => [name, join(output, name)] as const);
  const missing = folders.filter(([, folder]) => !existsSync(join(folder, 'build.json')));
  if (missing.length > 0) throw new Error(`${missing[0]?.[1]} is missing; make it: npm run release -- --executables`);
  return Object.fromEntries(folders);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      platforms: { type: 'string' },
      executables: { type: 'boolean' },
      pack: { type: 'boolean' },
      'base-url': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const report: Report = (line) => void process.stdout.write(`${line}\n`);
  if (values.help === true) return report(USAGE);
  const root = resolve(import.meta.dirname, '..');
  const output = join(root, 'dist', 'release');
  const names = values.platforms?.split(',') ?? Object.keys(platforms);
  for (const name of names) platformOf(name);
  const time = await releaseTime(root, process.env);
  const place = join(output, 'executables');
  if (values.pack !== true) {
    await rm(output, { recursive: true, force: true });
    await build(root, report);
    await makeExecutables(root, place, names, time);
  }
  if (values.executables === true) return;
  const executables = await findExecutables(place, names);
  for (const path of await packRelease(root, output, executables, time, values['base-url'] ?? '', report))
    report(`${path}  ${((await stat(path)).size / 1e6).toFixed(1)} MB`);
}

if (import.meta.main) {
  main().catch((error) => {
    process.stderr.write(`claude-code-proxy: no release. ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  });
}
