import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EXAMPLE = /^(?<name>[a-z0-9][a-z0-9._-]*)\.env\.example$/i;
const OWNER_ONLY = 0o600;

/**
 * Makes env files from the examples beside them and gives the names of the new instances: for `all` when there is no env
 * file yet, else for the named ones that have none. Never changes a file that exists.
 */
export function createEnvFiles(root: string, names: readonly string[]): string[] {
  const directory = join(root, 'envs');
  const files = readdirSync(directory);
  const examples = files.flatMap((file) => EXAMPLE.exec(file)?.groups?.['name'] ?? []).sort();
  const isFirstRun = names.includes('all') && !files.some((file) => file.endsWith('.env'));
  const wanted = examples.filter((name) => isFirstRun || names.includes(name));
  const missing = wanted.filter((name) => !existsSync(join(directory, `${name}.env`)));
  for (const name of missing) {
    const text = readFileSync(join(directory, `${name}.env.example`), 'utf8');
    writeFileSync(join(directory, `${name}.env`), text, { mode: OWNER_ONLY, flag: 'wx' });
  }
  return missing;
}
