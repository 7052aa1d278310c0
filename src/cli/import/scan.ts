import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { instanceName } from '../../config/config.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isRouterFile } from './claudeCodeRouter.ts';

/** An env file of an earlier system. */
export interface FoundEnvFile {
  readonly file: string;
  /** The name of its instance here. */
  readonly name: string;
  /** Its entry in start-all-proxies.sh. */
  readonly entry?: ProxyEntry;
}

/** What one folder holds; paths are absolute. */
export interface FolderContents {
  readonly folder: string;
  readonly envFiles: readonly FoundEnvFile[];
  readonly providersFile: string | undefined;
  readonly modelsFile: string | undefined;
  readonly routerFile: string | undefined;
  /** Entries of start-all-proxies.sh whose env file is not there. */
  readonly missing: readonly ProxyEntry[];
  /** The files beside the examples in the folder envs/ of a clone of this project, or of the home of an installed one. */
  readonly ownFiles: readonly string[];
}

/** The script with the table PROXIES. */
export const SCRIPT = 'start-all-proxies.sh';

const PROVIDERS_FILES = ['config/providers.json', 'providers.json'];
const MODELS_FILES = ['models.yaml', 'models.yml', 'models.json', 'custom_models.yaml'];
const ENV_FILE = /^(?:\.env(?:[-.].+)?|.+\.env)$/;
const NO_ENV_FILE = /\b(?:example|sample|template|dist|bak|old|orig)$|~$/i;

/**
 * What a path means: all of a folder, or a file with what belongs to it.
 * @throws Failure (usage) for a path that leads to nothing known.
 */
export function scanPath(path: string): FolderContents {
  if (!existsSync(path)) throw new Failure(`${path}: there is no such file or folder`, exitCodes.usage);
  const none = {
    envFiles: [],
    providersFile: undefined,
    modelsFile: undefined,
    routerFile: undefined,
    missing: [],
    ownFiles: [],
  };
  if (statSync(path).isDirectory()) {
    const ownFiles = listOwnFiles(path);
    if (ownFiles.length > 0) return { ...none, folder: path, ownFiles };
    const contents = scanFolder(path, () => true);
    const { envFiles, providersFile, routerFile, missing } = contents;
    if (envFiles.length + missing.length > 0 || providersFile !== undefined || routerFile !== undefined)
      return contents;
    throw new Failure(`${path} holds nothing that is known; see ./manage import --help`, exitCodes.usage);
  }
  const folder = dirname(path);
  const name = basename(path);
  if (name === SCRIPT) {
    const { missing, ...contents } = scanFolder(folder, () => true);
    return { ...contents, missing, envFiles: contents.envFiles.filter(({ entry }) => entry !== undefined) };
  }
  if (isEnvFile(name)) {
    const contents = scanFolder(folder, (file) => file === path);
    return { ...contents, routerFile: undefined, missing: [] };
  }
  if (isRouterFile(readFileSync(path, 'utf8'))) return { ...none, folder, routerFile: path };
  if (name.includes('providers')) {
    const home = basename(folder) === 'config' ? dirname(folder) : folder;
    const contents = scanFolder(home, (file) => basename(file) === '.env');
    return { ...contents, providersFile: path, routerFile: undefined, missing: [] };
  }
  throw new Failure(
    `${path}: neither an env file nor a script, providers file or router file that is known; for a models file name its folder`,
    exitCodes.usage,
  );
}

/** What a user has in the folder envs/ of this project; nothing where the folder is of something else. */
function listOwnFiles(folder: string): readonly string[] {
  const envs = join(folder, 'envs');
  if (!existsSync(join(folder, 'ecosystem.config.cjs')) || !existsSync(envs)) return [];
  return readdirSync(envs)
    .filter((name) => !name.includes('.env.removed-') && !name.endsWith('.example'))
    .map((name) => join(envs, name))
    .filter((file) => statSync(file).isFile());
}

/** What lies in a folder, as the earlier systems would find it there. */
function scanFolder(folder: string, isWanted: (file: string) => boolean): FolderContents {
  const script = join(folder, SCRIPT);
  const entries = existsSync(script) ? readProxies(readFileSync(script, 'utf8')) : [];
  const fileOf = (entry: ProxyEntry) => join(folder, entry.envFile);
  const listed = entries
    .filter((entry) => existsSync(fileOf(entry)))
    .map((entry) => ({ file: fileOf(entry), name: instanceName(`${entry.name}.env`), entry }));
  const others = readdirSync(folder)
    .filter((name) => isEnvFile(name) && !listed.some(({ file }) => file === join(folder, name)))
    .map((name) => ({ file: join(folder, name), name: instanceName(join(folder, name)) }));
  const config = join(folder, 'config.json');
  return {
    folder,
    envFiles: [...listed, ...others].filter(({ file }) => statSync(file).isFile() && isWanted(file)),
    providersFile: firstOf(folder, PROVIDERS_FILES),
    modelsFile: firstOf(folder, MODELS_FILES),
    routerFile: existsSync(config) && isRouterFile(readFileSync(config, 'utf8')) ? config : undefined,
    missing: entries.filter((entry) => !existsSync(fileOf(entry))),
    ownFiles: [],
  };
}

function firstOf(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((file) => existsSync(file));
}

function isEnvFile(name: string): boolean {
  return ENV_FILE.test(name) && !NO_ENV_FILE.test(name);
}

/** An entry of the table PROXIES in start-all-proxies.sh. */
export interface ProxyEntry {
  readonly port: number;
  /** Relative to the script. */
  readonly envFile: string;
  readonly name: string;
  /** 1-based. */
  readonly line: number;
}

const ENTRY = /^\s*["']?(?<port>\d+):(?<envFile>[^:"']+):(?<name>[^"']+?)["']?\s*\)?\s*(?:#.*)?$/;

/** The entries `PORT:ENVFILE:NAME` between `PROXIES=(` and its closing bracket; those that are commented out do not count. */
export function readProxies(script: string): readonly ProxyEntry[] {
  const lines = script.split(/\r?\n/);
  const start = lines.findIndex((line) => /^\s*PROXIES=\(/.test(line));
  if (start < 0) return [];
  const length = lines.slice(start).findIndex((line) => /\)\s*(?:#.*)?$/.test(line));
  const end = length < 0 ? lines.length : start + length + 1;
  return lines.slice(start, end).flatMap((line, index) => {
    const groups = ENTRY.exec(line.replace(/^\s*PROXIES=\(/, ''))?.groups;
    if (groups === undefined) return [];
    const { port = '', envFile = '', name = '' } = groups;
    return [{ port: Number(port), envFile, name, line: start + index + 1 }];
  });
}
