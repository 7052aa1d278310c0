import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, join, posix, win32 } from 'node:path';
import { asString, isObject, parseObject } from '../core/json.ts';
import { wordPosix } from '../core/text.ts';
import { executablePath } from '../host/workers.ts';
import { PLATFORM } from './buildStamp.ts';
import { replaceFile } from './envs/envFiles.ts';
import { Failure } from './exitCodes.ts';

/**
 * What npm has installed. The package is npm's own: nothing is ever written there. All that an instance or the manager keeps is in a
 * home folder of the user, which looks like a checkout: env files, logs and state, and links to the parts of the package, so that
 * everything else works as in a clone. PM2 knows paths of the home alone, which stay the same whatever is installed (decision 0028).
 */

const PACKAGE = 'claude-code-proxy';

/** What npm's commands begin with; no clone has it. */
const STARTER = join('bin', `${PACKAGE}.cjs`);

/** Whether a folder is npm's package or its home, and no clone. */
export function isInstalled(folder: string): boolean {
  return existsSync(join(folder, STARTER));
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The folders of a user, absolute. */
export interface HomeFolders {
  /** The home: state, and where relative paths of settings begin. */
  readonly root: string;
  readonly envs: string;
  readonly logs: string;
}

/**
 * Where a user's files are: by the XDG Base Directory Specification 0.8, and on macOS and Windows by their own conventions.
 * `CCP_HOME` has all of them in one folder.
 * @param userHome the user's home folder
 */
export function homeFolders(environment: Environment, platform: NodeJS.Platform, userHome: string): HomeFolders {
  const { join, isAbsolute, resolve } = platform === 'win32' ? win32 : posix;
  const own = environment['CCP_HOME'];
  if (own) return inOneFolder(resolve(own));
  // Relative paths have to be ignored, as the specification says.
  const base = (name: string, ...usual: string[]) => {
    const path = environment[name];
    return join(path !== undefined && isAbsolute(path) ? path : join(userHome, ...usual), PACKAGE);
  };
  if (platform === 'darwin') {
    const library = join(userHome, 'Library');
    return { ...inOneFolder(join(library, 'Application Support', PACKAGE)), logs: join(library, 'Logs', PACKAGE) };
  }
  const [config, state] =
    platform === 'win32'
      ? [base('APPDATA', 'AppData', 'Roaming'), base('LOCALAPPDATA', 'AppData', 'Local')]
      : [base('XDG_CONFIG_HOME', '.config'), base('XDG_STATE_HOME', '.local', 'state')];
  return { ...inOneFolder(state), envs: join(config, 'envs') };

  function inOneFolder(root: string): HomeFolders {
    return { root, envs: join(root, 'envs'), logs: join(root, 'logs') };
  }
}

/** The folders of the present user. */
export function ownFolders(environment: Environment): HomeFolders {
  return homeFolders(environment, process.platform, environment['HOME'] || homedir());
}

/**
 * The folders that a package of the system has for all users, whose instances systemd runs; undefined where npm has installed it. The
 * package itself has laid them out: nothing is written there, as little as any code is taken from what a service may write.
 */
export function systemFolders(folder: string): HomeFolders | undefined {
  const file = join(folder, 'home.json');
  if (!existsSync(file)) return undefined;
  const { root, envs, logs } = parseObject(readFileSync(file, 'utf8')) ?? {};
  return { root: asString(root) ?? '', envs: asString(envs) ?? '', logs: asString(logs) ?? '' };
}

/** Makes the home of the package in `folder` the folder of this process, as `./manage` does with its checkout. See {@link openHome}. */
export function enterHome(folder: string, environment: Record<string, string | undefined>): string {
  const root = systemFolders(folder)?.root ?? openHome(folder, environment);
  environment['INIT_CWD'] = process.cwd();
  process.chdir(root);
  return root;
}

/**
 * Brings the home of the package in `folder` up to date.
 * @returns the home
 * @throws Failure when the executable or PM2 is not installed
 * @throws the system's error when something cannot be written
 */
export function openHome(folder: string, environment: Environment): string {
  const executable = findExecutable(folder);
  const pm2 = findPackage(folder, 'pm2');
  if (pm2 === undefined) throw new Failure(`PM2 is missing beside ${folder}; ${installAgain(folder)}`);
  const { root, envs, logs } = ownFolders(environment);
  const folders = ['state', 'dist', 'node_modules', 'scripts'].map((name) => join(root, name));
  for (const path of [envs, logs, ...folders]) mkdirSync(path, { recursive: true, mode: 0o700 });
  keepLink(join(root, 'envs'), envs);
  keepLink(join(root, 'logs'), logs);
  keepLink(executablePath(root), join(executable, basename(executablePath(root))));
  if (existsSync(join(folder, 'dist', 'page'))) keepLink(join(root, 'dist', 'page'), join(folder, 'dist', 'page'));
  keepLink(join(root, 'node_modules', 'pm2'), pm2);
  const copies = ['package.json', 'ecosystem.config.cjs', join('scripts', 'statusline.cjs')];
  for (const name of copies) keepFile(join(root, name), readFileSync(join(folder, name), 'utf8'), 0o644);
  keepFile(join(root, 'dist', 'build.json'), readFileSync(join(executable, 'build.json'), 'utf8'), 0o644);
  for (const name of readdirSync(join(folder, 'envs')))
    keepFile(join(envs, name), readFileSync(join(folder, 'envs', name), 'utf8'), 0o644);
  // For the status line, and for cron and the like: a path that stays.
  keepLink(join(root, 'bin'), join(folder, 'bin'));
  keepFile(join(root, 'manage'), `#!/usr/bin/env node\nrequire('./bin/${PACKAGE}.cjs');\n`, 0o755);
  return root;
}

/** Where npm has put a package that another one in `folder` needs; undefined when it is not there. */
function findPackage(folder: string, name: string): string | undefined {
  const paths = createRequire(join(realpathSync(folder), 'package.json')).resolve.paths(name) ?? [];
  return paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
}

/** The folder of the package with the executable for this platform. */
function findExecutable(folder: string): string {
  const name = `${PACKAGE}-${PLATFORM}`;
  const found = findPackage(folder, name);
  if (found !== undefined && existsSync(join(found, basename(executablePath(''))))) return found;
  const known = Object.keys(readManifest(folder).optionalDependencies);
  if (!known.includes(name))
    throw new Failure(`there is no executable for ${PLATFORM}; there are: ${known.join(', ')}; build it from a clone`);
  throw new Failure(
    `${name}, which holds the executable, is not installed (npm leaves it out with --omit=optional, and where the system's C library is not glibc); ${installAgain(folder)}`,
  );
}

function readManifest(folder: string) {
  const manifest = parseObject(readFileSync(join(folder, 'package.json'), 'utf8'));
  const optional = manifest?.['optionalDependencies'];
  return {
    version: asString(manifest?.['version']) ?? 'latest',
    optionalDependencies: isObject(optional) ? optional : {},
  };
}

function installAgain(folder: string): string {
  return `run: npm install -g --include=optional ${PACKAGE}@${readManifest(folder).version}`;
}

/** Makes a link to a folder or file, or leads it to another one, in one step. A folder that is there in its place stays. */
function keepLink(path: string, target: string): void {
  if (path === target) return;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() ? readlinkSync(path) === target : stat?.isDirectory()) return;
  const next = `${path}.new-${process.pid}`;
  rmSync(next, { force: true });
  symlinkSync(target, next, 'junction');
  if (process.platform === 'win32') rmSync(path, { force: true, recursive: true }); // which cannot put it in its place
  renameSync(next, path);
}

function keepFile(path: string, text: string, mode: number): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  replaceFile(path, text, mode);
}

/** The command as it was called: by its name where PATH leads to it, through npx, or by its path. */
export function installedCommand(script: string, environment: Environment): string {
  if (environment['npm_command'] === 'exec') return `npx ${PACKAGE}`;
  const name = basename(script);
  const folders = (environment['PATH'] ?? '').split(process.platform === 'win32' ? ';' : ':');
  const found = folders.map((path) => join(path, name)).find((path) => path !== name && existsSync(path));
  return found !== undefined && realpathSync(found) === realpathSync(script) ? name : wordPosix(script);
}

const FOLDER = /(?<![\w./~-])(envs|logs|state|docs)\/(?!\.\.)/g;
const REPAIR = /\bnpm (?:ci(?: --include=optional)?|run build)\b/g;

/** Names folders and repairs in a text for users, which are those of a checkout, as they are for this installation. */
export function describeAsInstalled(folder: string, environment: Environment): (text: string) => string {
  const system = systemFolders(folder);
  const { root, envs, logs } = system ?? ownFolders(environment);
  const install = system === undefined ? `npm install -g ${PACKAGE}` : `apt install --reinstall ${PACKAGE}`;
  const home = environment['HOME'] || homedir();
  const show = (path: string) =>
    (path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path).replaceAll(/(?=[ ()'&])/g, '\\');
  const shown: Record<string, string> = {
    envs: show(envs),
    logs: show(logs),
    state: show(join(root, 'state')),
    docs: show(join(folder, 'docs')),
  };
  return (text) =>
    text.replaceAll(FOLDER, (_found, name: string) => `${shown[name]}/`).replaceAll(REPAIR, () => install);
}
