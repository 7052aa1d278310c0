import { dirname, join, relative } from 'node:path';
import type { Config } from '../config/config.ts';
import { MODELS_FILE } from '../config/files/modelsFile.ts';
import { PROVIDERS_FILE } from '../config/files/providersFile.ts';
import { POOR_FOLDER } from './leaveFolder.ts';
import { LOOK_AROUND } from './lookAround.ts';

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
