import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSea } from 'node:sea';
import type { Config } from '../config/config.ts';
import { permissionOptions } from './permissionOptions.ts';

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
