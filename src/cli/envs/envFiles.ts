import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { presets } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { envFile, type Instance } from '../supervisor/instances.ts';

/** Letters that mean nothing but themselves in an env file. */
const PLAIN = /^[\w.:/@%+,~=*?&!;-]*$/;

/**
 * A line of an env file, the value in quotes where it needs them.
 * @throws Failure for a value that no quotes can hold.
 */
export function envLine(key: string, value: string): string {
  if (PLAIN.test(value)) return `${key}=${value}`;
  if (!/['\n\r]/.test(value)) return `${key}='${value}'`;
  if (!/["\\$\n\r]/.test(value)) return `${key}="${value}"`;
  throw new Failure(`${key}: an env file cannot hold a value with both kinds of quotes, or with line breaks`);
}

export const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/**
 * Writes a new file that only its owner may read; a missing folder is made so, too.
 * @param shown The path as the user knows it.
 * @throws Failure when there is a file already, which is left as it is.
 */
export function createPrivateFile(path: string, shown: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  try {
    writeFileSync(path, text, { mode: OWNER_ONLY, flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new Failure(`${shown} is there already; it is left as it is`);
    // What a full disk has left behind would be taken for a whole file.
    if (code === 'ENOSPC') rmSync(path, { force: true });
    throw error;
  }
}

/** Puts text in the place of a file in one step, so that nobody ever reads half of it; with exactly this mode. */
export function replaceFile(path: string, text: string, mode: number): void {
  const next = `${path}.new-${process.pid}`;
  try {
    const file = openSync(next, 'wx', mode);
    try {
      writeFileSync(file, text);
      fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

/** The names that ecosystem.config.cjs makes instances of. */
const NAME = /^(?!all$|env\b)[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export function isInstanceName(name: string): boolean {
  return NAME.test(name);
}

export const NAME_RULE = 'a name has lower-case letters and digits, parted by single - _ or . (not "all", not "env")';

/** @throws Failure (usage) for a name that no instance can have. */
export function checkInstanceName(name: string): void {
  if (isInstanceName(name)) return;
  throw new Failure(`"${name}" cannot be the name of an instance: ${NAME_RULE}`, exitCodes.usage);
}

/** Path of the env file of a name, relative to the project. */
export function envPath(name: string): string {
  return `envs/${name}.env`;
}

export function hasEnvFile(root: string, name: string): boolean {
  return existsSync(join(root, envPath(name)));
}

/** The name itself, else the first of `name-2`, `name-3` ... that has no env file. */
export function unusedName(root: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!hasEnvFile(root, candidate)) return candidate;
  }
}

const PORT_LINE = /^\s*(?:export\s+)?(?:CLAUDE_PROXY_)?PORT\s*[=:]\s*["'`]?(\d+)/gm;
const LAST_PORT = 65_535;

/** The port that the text of an env file names; undefined when it names none. */
export function portIn(text: string): number | undefined {
  const port = [...text.matchAll(PORT_LINE)].at(-1)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The ports of the env files, also of those that are wrong. */
export function portsOf(instances: readonly Instance[]): Set<number> {
  const ports = instances.map((instance) => instance.config?.port ?? portIn(readFileSync(envFile(instance), 'utf8')));
  return new Set(ports.filter((port) => port !== undefined));
}

/** Whether somebody listens there now. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** A port that no env file names and where nobody listens: the preset's own, else the first behind those of all presets. */
export async function freePort(used: ReadonlySet<number>, preset?: Preset): Promise<number> {
  const reserved = presets.flatMap(({ port }) => port ?? []);
  const isFree = async (port: number) => !used.has(port) && !(await isPortTaken(port));
  if (preset?.port !== undefined && (await isFree(preset.port))) return preset.port;
  for (let port = Math.max(...reserved) + 1; port <= LAST_PORT; port += 1) if (await isFree(port)) return port;
  throw new Failure('there is no free port on this machine');
}
