import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Instance } from './instances.ts';

/** A word on every file of envs/ that looks like an env file and makes no instance because of its name. */
export function describeIgnoredEnvFiles(root: string, instances: readonly Instance[]): string[] {
  const directory = join(root, 'envs');
  if (!existsSync(directory)) return [];
  const used = new Set(instances.map(({ name }) => `${name}.env`));
  const ignored = readdirSync(directory).filter((file) => file.endsWith('.env') && !used.has(file));
  return ignored.map((file) => {
    return `envs/${file} is not used: a name has lower-case letters and digits, parted by single - _ or . (not "all", not "env")`;
  });
}
