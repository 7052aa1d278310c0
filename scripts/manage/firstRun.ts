import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EXAMPLE = /^(?<name>[a-z0-9][a-z0-9._-]*)\.env\.example$/i;
const OWNER_ONLY = 0o600;

/** The names of the instances that there are examples for. */
export function exampleNames(root: string): string[] {
  return readdirSync(join(root, 'envs'))
    .flatMap((file) => EXAMPLE.exec(file)?.groups?.['name'] ?? [])
    .sort();
}

/**
 * Makes env files from the examples beside them and gives the names of the new instances: for `all` as long as nobody has written
 * one of his own, else for the named ones that have none. Never changes a file that exists.
 */
export function createEnvFiles(root: string, names: readonly string[]): string[] {
  const directory = join(root, 'envs');
  const isAll = names.includes('all') && hasOnlyCopies(directory);
  const wanted = exampleNames(root).filter((name) => isAll || names.includes(name));
  const missing = wanted.filter((name) => !existsSync(join(directory, `${name}.env`)));
  for (const name of missing) {
    const text = readFileSync(join(directory, `${name}.env.example`), 'utf8');
    writeFileSync(join(directory, `${name}.env`), text, { mode: OWNER_ONLY, flag: 'wx' });
  }
  return missing;
}

/** Whether an env file is as its example, so that nobody has written anything into it. */
export function isCopyOfExample(file: string): boolean {
  const example = `${file}.example`;
  return existsSync(file) && existsSync(example) && readFileSync(file).equals(readFileSync(example));
}

/** Whether all env files are as their examples, so that they can have been made by a start of some of them. */
function hasOnlyCopies(directory: string): boolean {
  const files = readdirSync(directory).filter((file) => file.endsWith('.env'));
  return files.every((file) => isCopyOfExample(join(directory, file)));
}
