import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { isSea } from 'node:sea';
import type { Config } from '../config/config.ts';
import { MODELS_FILE } from '../config/files/modelsFile.ts';
import { PROVIDERS_FILE } from '../config/files/providersFile.ts';

/** A folder that every machine has and in which nothing is secret. On Linux it lists the sockets there are (src/host/). */
export const SAFE_DIRECTORY = process.platform === 'linux' ? '/proc/net' : '/var/empty';

/**
 * Leaves the folder in which the process was started for a safe one. Node 26.10 lets each thread read the folder in which its process
 * is: it allows the script with which a thread begins, and that of the hooks' thread has no path, so that the folder is taken for it.
 * Nothing happens in a process that has all rights.
 */
export function changeToSafeDirectory(): void {
  if (process.permission !== undefined) process.chdir(SAFE_DIRECTORY);
}

interface DroppablePermission {
  /** Node's option that gives the right. */
  readonly option: string;
  readonly scope: string;
  readonly reference?: string;
}

/**
 * The right to find out who listens on a port: by the kernel's own files on Linux, by a program elsewhere (src/host/ports.ts).
 * An instance needs it until it listens itself; without it the message about a port that is taken does not say by whom.
 */
export const PORT_INSPECTION: DroppablePermission =
  process.platform === 'linux'
    ? { option: '--allow-fs-read=/proc/*', scope: 'fs.read', reference: '/proc/*' }
    : { option: '--allow-child-process', scope: 'child' };

/** Gives the right up, until the end of the process. Nothing happens in one that has all rights. */
export function dropPortInspection(): void {
  process.permission?.drop(PORT_INSPECTION.scope, PORT_INSPECTION.reference);
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
  return ['calibration.json', 'usage.sqlite', 'vision.sqlite'].map(
    (ending) => `${join(stateDirectory, `${instance}.${ending}`)}*`,
  );
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
  const read = [SAFE_DIRECTORY, ...files, ...beside, ...both, ...ofHooks];
  return [
    '--permission',
    '--allow-net',
    // A thread can be started with more rights than its process has, and keeps what its process gives up. Only hooks, which are
    // the user's own code, run in one.
    hooks === undefined ? PORT_INSPECTION.option : '--allow-worker',
    ...[...new Set(read)].map((path) => `--allow-fs-read=${path}`),
    ...both.map((path) => `--allow-fs-write=${path}`),
    // Node warns of two of these options in each process.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ];
}

/**
 * The first path that cannot be allowed by itself: Node takes a `*` in a path for all that begins so, and knows no other way to write
 * one. A comma means itself.
 */
function findWildcard(config: Config, consolePath = ''): string | undefined {
  const { file, files, hooks, logs, stateDirectory } = config;
  const program = isSea() ? '' : realpathSync(process.argv[1] ?? '');
  const paths = [file, ...files, hooks?.file ?? '', logs.directory, stateDirectory, consolePath, program];
  return paths.find((path) => path.includes('*'));
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

/** The files of the bundle but the first, for which Node gives the right by itself (scripts/build/bundler.ts). */
export const LATER_CHUNKS = ['instance.cjs', 'secret.cjs', 'telemetry.cjs', 'usageSink.cjs'];

/** The rights to read them. */
function allowChunks(script: string): string[] {
  const folder = dirname(realpathSync(script));
  return LATER_CHUNKS.map((name) => `--allow-fs-read=${join(folder, name)}`);
}

const SHELL = '/bin/sh';

/** Whether the system writes no core file of this process when it crashes; the file would hold the keys. */
function hasNoCoreFile(): boolean {
  try {
    return /^Max core file size +0 /m.test(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return false; // only Linux says so
  }
}

/**
 * Has glibc's allocator give memory back: it reads these from the environment of the start alone. They are its own first values, but
 * by default it raises them each time that a large block is freed, until buffers of less than 32 MiB lie in its heap among small ones
 * and stay there when they are free: some hundred MiB after a few bodies of 60 MB, in place of 20. Other allocators know none of these.
 */
export const ALLOCATOR_SETTINGS = {
  MALLOC_MMAP_THRESHOLD_: String(128 * 1024),
  // Not the first value, with which the end of the heap would come and go under load.
  MALLOC_TRIM_THRESHOLD_: String(8 * 1024 * 1024),
} as const;

/** Executes a program in place of this one, without core files: Node itself cannot set that limit, and a shell can. */
function execute(words: readonly string[], given: NodeJS.ProcessEnv): void {
  const environment = { ...ALLOCATOR_SETTINGS, ...given };
  const program = process.execPath;
  const { execve } = process;
  if (execve === undefined) throw new Error('this Node cannot execute a program in place of itself');
  if (hasNoCoreFile() || !existsSync(SHELL)) execve(program, [program, ...words], environment);
  else execve(SHELL, [SHELL, '-c', 'ulimit -c 0; exec "$0" "$@"', program, ...words], environment);
}

/** Executes this program with further options of Node's in place of what runs now. */
function reExecute(options: readonly string[], environment: NodeJS.ProcessEnv): void {
  const [, script = '', ...words] = process.argv;
  if (isSea()) {
    // As its first word the executable takes Node's options (scripts/build/executable.ts).
    execute([`--node-options=${quote(options)}`, ...words], environment);
  } else {
    const text = quote([...options, ...allowChunks(script)]);
    const given = environment['NODE_OPTIONS'];
    const all = given === undefined ? text : `${given} ${text}`;
    execute([script, ...words], { ...environment, NODE_OPTIONS: all });
  }
}

/** Whether this process is restricted, and if not, whether that was asked for. */
export function describePermissionModel({ permissionModel }: Config): 'on' | 'off' | 'unavailable' {
  if (process.permission !== undefined) return 'on';
  return permissionModel === 'off' ? 'off' : 'unavailable';
}

/**
 * Takes from this process all rights that an instance does not need. Node gives rights at the start only, and which are needed is
 * known only when the env file has been read, so the program is executed again in the same process. Returns where it was executed so
 * already, where the system cannot do that (Windows), and where it fails or a path would allow more than itself: then with the reason.
 * @param consolePath file into which the process manager writes stdout
 * @param environment of the program that is executed
 */
export function restrictProcess(
  config: Config,
  consolePath: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  // Under Windows `execve` is there, and always throws.
  if (process.permission !== undefined || process.platform === 'win32') return undefined;
  const wildcard = findWildcard(config, consolePath);
  if (wildcard !== undefined) {
    return `${JSON.stringify(wildcard)} holds a "*", which Node's permission model takes for other files too. Rename it, or set PERMISSION_MODEL=off in ${config.file}.`;
  }
  makeStateFolder(config.stateDirectory);
  try {
    reExecute(permissionOptions(config, consolePath), environment);
    return undefined;
  } catch (error) {
    return `The process could not be restricted by Node's permission model: ${(error as Error).message}. To run it with all rights of its user, set PERMISSION_MODEL=off in ${config.file}.`;
  }
}
