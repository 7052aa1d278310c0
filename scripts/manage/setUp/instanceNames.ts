import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, Failure } from '../exitCodes.ts';

/** The names that ecosystem.config.cjs makes instances of. */
const NAME = /^(?!all$|env\b)[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export function isInstanceName(name: string): boolean {
  return NAME.test(name);
}

/** @throws Failure (usage) for a name that no instance can have. */
export function checkInstanceName(name: string): void {
  if (isInstanceName(name)) return;
  throw new Failure(
    `"${name}" cannot be the name of an instance: a name has lower-case letters and digits, parted by single - _ or . (not "all", not "env")`,
    exitCodes.usage,
  );
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
