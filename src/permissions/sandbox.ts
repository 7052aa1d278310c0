import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isSea } from 'node:sea';
import type { Config } from '../config/config.ts';
import { MODELS_FILE } from '../config/files/modelsFile.ts';
import { PROVIDERS_FILE } from '../config/files/providersFile.ts';

/** A folder that every machine has and in which nothing is secret. On Linux it tells which sockets there are (src/host/). */
export const POOR_FOLDER = process.platform === 'linux' ? '/proc/net' : '/var/empty';

/**
 * Leaves the folder in which the process was started. Node 26.10 lets each thread read the folder in which its process is: it allows
 * the script with which a thread begins, and that of the hooks' thread has no path, so that the folder is taken for it. Nothing
 * happens in a process that has all rights.
 */
export function leaveFolder(): void {
  if (process.permission !== undefined) process.chdir(POOR_FOLDER);
}

interface LookAround {
  /** Node's option that gives the right. */
  readonly option: string;
  readonly scope: string;
  readonly reference?: string;
}

/**
 * The right to find out who listens on a port: by the kernel's own files on Linux, by a program elsewhere (src/host/ports.ts).
 * An instance needs it until it listens itself; without it the message about a port that is taken does not say by whom.
 */
export const LOOK_AROUND: LookAround =
  process.platform === 'linux'
    ? { option: '--allow-fs-read=/proc/*', scope: 'fs.read', reference: '/proc/*' }
    : { option: '--allow-child-process', scope: 'child' };

/** Gives the right up, until the end of the process. Nothing happens in one that has all rights. */
export function giveUpLookingAround(): void {
  process.permission?.drop(LOOK_AROUND.scope, LOOK_AROUND.reference);
}

/**
 * What hooks may read: the folder of their file, with whatever it imports. Not where the env file lies in there, too, and with it
 * perhaps those of other instances: then it is the file alone.
 */
function hooksPath(hooks: string, envFile: string): string {
  const folder = dirname(hooks);
  const isBeside = !relative(folder, envFile).startsWith('..');
  return isBeside ? hooks : folder;
}

/** The files that an instance keeps in the folder of the states, in which those of others lie as well, and more. */
function stateFiles({ stateDirectory, instance }: Config): string[] {
  return ['calibration.json', 'usage.sqlite'].map((ending) => `${join(stateDirectory, `${instance}.${ending}`)}*`);
}

/**
 * Node's own options for a process that may use the network and its own files, and nothing else: it starts no other program,
 * loads no native code, and reads and writes no file that is not listed here (docs/SECURITY.md says what this is worth).
 * A listed folder stands for all that lies in it, a path that ends in `*` for all that begins so.
 * @param consolePath file into which the process manager writes stdout, which the instance keeps small
 */
export function permissionOptions(config: Config, consolePath: string | undefined): string[] {
  const { file, files, hooks, instance, logs } = config;
  const ownLogs = join(logs.directory, instance);
  // Also those that do not count yet: they may after an edit of the env file.
  const beside = [...MODELS_FILE.names, ...PROVIDERS_FILE.names].map((name) => join(dirname(file), name));
  const both = [
    ownLogs,
    join(ownLogs, '*'), // what is not there yet is not known as a folder
    ...stateFiles(config),
    ...(consolePath === undefined ? [] : [consolePath]),
  ];
  const ofHooks = hooks === undefined ? [] : [hooksPath(hooks.file, file)];
  const read = [POOR_FOLDER, ...files, ...beside, ...both, ...ofHooks];
  return [
    '--permission',
    '--allow-net',
    // A thread can be started with more rights than its process has, and keeps what its process gives up. Only hooks, which are
    // the user's own code, run in one.
    hooks === undefined ? LOOK_AROUND.option : '--allow-worker',
    ...[...new Set(read)].map((path) => `--allow-fs-read=${path}`),
    ...both.map((path) => `--allow-fs-write=${path}`),
    // Node warns of two of these options in each process.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ];
}

/** Quotes options as Node reads several of them in one text. */
function quote(options: readonly string[]): string {
  return options.map((option) => `"${option.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');
}

/** Makes the folder of the states, which lies where the process will have no rights. */
function makeStateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    // Whoever wants to write there says so.
  }
}

/** The right to read the second file of the bundle; Node gives that for the first by itself (scripts/build/bundle.ts). */
function allowInstance(script: string): string {
  return `--allow-fs-read=${join(dirname(realpathSync(script)), 'instance.cjs')}`;
}

/** Runs this program with further options of Node's in place of what runs now. */
function beginAnew(options: readonly string[], environment: NodeJS.ProcessEnv): void {
  const [program = '', script = '', ...words] = process.argv;
  if (isSea()) {
    // As its first word the executable takes Node's options (scripts/build/executable.ts).
    process.execve?.(process.execPath, [program, `--node-options=${quote(options)}`, ...words], environment);
  } else {
    const text = quote([...options, allowInstance(script)]);
    const given = environment['NODE_OPTIONS'];
    const all = given === undefined ? text : `${given} ${text}`;
    process.execve?.(process.execPath, [program, script, ...words], { ...environment, NODE_OPTIONS: all });
  }
}

/**
 * Takes from this process all rights that an instance does not need. Node gives rights at the start only, and which are needed is
 * known only when the env file has been read, so the program begins anew in the same process. Returns only where that cannot be:
 * under Windows, and in a process that has begun so already.
 * @param consolePath file into which the process manager writes stdout
 * @param environment of the program that begins
 */
export function restrictProcess(config: Config, consolePath: string | undefined, environment: NodeJS.ProcessEnv): void {
  if (process.permission !== undefined || process.execve === undefined) return;
  makeStateFolder(config.stateDirectory);
  beginAnew(permissionOptions(config, consolePath), environment);
}
