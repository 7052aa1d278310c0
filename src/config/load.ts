import { readFileSync, type Stats, statSync } from 'node:fs';
import { platform } from 'node:os';
import { resolve } from 'node:path';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { parse } from 'dotenv';
import { buildConfig, type ConfigResult } from './buildConfig.ts';
import type { Authorities, Problem } from './config.ts';
import { createDiagnostics, type Diagnostics } from './diagnostics.ts';
import type { Environment } from './env/variables.ts';
import { type Catalogue, readKeptCatalogue } from './files/catalogue.ts';
import { createCompanionFiles, type FileText } from './files/companion.ts';

/**
 * Loads the configuration of one instance: the only place where the configuration touches the disk, and the only one
 * that knows dotenv. Never throws: what is wrong, the missing file too, is among the problems.
 * @param path Of the env file; relative to `directory`.
 * @param environment Variables that win over the file: the process's own when the binary is run directly.
 * @param directory Absolute; LOG_DIR and other relative paths start from it.
 */
export function loadConfig(path: string, environment: Environment, directory: string): ConfigResult {
  const diagnostics = createDiagnostics(path);
  const text = readEnvFile(resolve(directory, path), path, diagnostics);
  if (text === undefined) return { problems: diagnostics.problems, files: [resolve(directory, path)] };
  const result = configFromText(path, text, environment, directory);
  return { ...result, problems: [...diagnostics.problems, ...result.problems] };
}

/** Text of an env file to a configuration, with dotenv's parser; the other files that it is made of are read from the disk. */
export function configFromText(file: string, text: string, environment: Environment, directory: string): ConfigResult {
  return buildConfig({ file, text, parse, environment, readFile, directory });
}

/** The facts of a public catalogue that are kept, and what is wrong with their file. */
export function loadCatalogue(directory: string): {
  readonly catalogue: Catalogue | undefined;
  readonly problems: readonly Problem[];
} {
  const { catalogue, diagnostics } = readKeptCatalogue(createCompanionFiles('', directory, readFile));
  return { catalogue, problems: diagnostics.problems };
}

/**
 * What servers' certificates are checked with; undefined where Node's own will do. In addition to those of CA_FILE and SYSTEM_CA it holds
 * what the process knows by itself: Node's list, and the file of NODE_EXTRA_CA_CERTS. Making it takes up to 100 ms with the machine's own.
 */
export function createTrust({ certificates, system }: Authorities): SecureContext | undefined {
  if (certificates.length === 0 && !system) return undefined;
  const known = [...getCACertificates('default'), ...(system ? getCACertificates('system') : [])];
  return createSecureContext({ ca: [...new Set([...known, ...certificates])] });
}

/** An env file has a few hundred lines at most; anything larger is another file given by mistake. */
const MAX_BYTES = 262_144;

const READ_ERRORS: Record<string, string> = {
  ENOENT: 'no file of this name',
  EACCES: 'a file that may not be read',
  EPERM: 'a file that may not be read',
};

/** Reading one could wait for ever, as of a pipe, or never end, as of /dev/zero. */
const SPECIAL_FILE = 'a pipe or a device';

/** The bit by which the group of a file may read it. */
const GROUP_MAY_READ = 0o040;

/**
 * Windows has no permission bits; Node makes them up there. Of a file that belongs to another user the process is the group for which
 * that user has opened it, as Kubernetes does with the secrets of a pod (`fsGroup`).
 * @param uid the user of this process
 */
export function isOpenToOthers({ mode, uid: owner }: Pick<Stats, 'mode' | 'uid'>, uid = process.getuid?.()): boolean {
  const opened = mode & 0o077;
  return opened !== 0 && !(opened === GROUP_MAY_READ && owner !== uid) && platform() !== 'win32';
}

function permissions(mode: number): string {
  return (mode & 0o777).toString(8);
}

function readEnvFile(path: string, shown: string, diagnostics: Diagnostics): string | undefined {
  const location = { name: 'file' };
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) diagnostics.error(location, 'a folder', 'Give the path of an env file.');
    else if (!stat.isFile()) diagnostics.error(location, SPECIAL_FILE, 'Give the path of an env file.');
    else if (stat.size > MAX_BYTES)
      diagnostics.error(location, `${stat.size} bytes`, 'Give the path of an env file; this one is too large.');
    else {
      if (isOpenToOthers(stat))
        diagnostics.warning(
          location,
          `a file that other users may read (mode ${permissions(stat.mode)})`,
          `Run: chmod 600 ${shown}`,
        );
      return readFileSync(path, 'utf8');
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const fix =
      code === 'EACCES' ? 'Run this as the user to whom it belongs.' : 'Give the path of a readable env file.';
    diagnostics.error(location, READ_ERRORS[code] ?? `an error on reading (${code})`, fix);
  }
  return undefined;
}

/** No file beside the env file is so large, and one that is would fill the memory before anybody looks at it. */
const MAX_COMPANION_BYTES = 8 * 1024 * 1024;

function readFile(path: string): FileText {
  const stat = statSync(path);
  const isSpecial = !stat.isFile() && !stat.isDirectory();
  if (isSpecial || stat.size > MAX_COMPANION_BYTES) {
    const code = isSpecial ? SPECIAL_FILE : `${stat.size} bytes, which is too much`;
    throw Object.assign(new Error(code), { code });
  }
  const text = readFileSync(path, 'utf8');
  return isOpenToOthers(stat) ? { text, openMode: permissions(stat.mode) } : { text };
}
