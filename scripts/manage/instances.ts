import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Config, Problem } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type EcosystemApp, readEcosystem } from './ecosystem.ts';
import { exitCodes, Failure } from './exitCodes.ts';
import { findPortClashes } from './portClashes.ts';
import { didYouMean } from './suggest.ts';

/** One env file: what it asks for, and whether that is possible. */
export interface Instance {
  readonly name: string;
  readonly app: EcosystemApp;
  /** Undefined when the env file is wrong. */
  readonly config: Config | undefined;
  /** Of this file, and of its port in another file. */
  readonly problems: readonly Problem[];
}

/** The path of the env file of an instance. */
export function envFile(instance: Instance): string {
  return instance.app.args[1];
}

/** Whether the instance may be started: nothing but warnings. */
export function isSound(instance: Instance): boolean {
  return instance.config !== undefined && instance.problems.every((problem) => problem.severity === 'warning');
}

/** Every instance of the project with its configuration as PM2 would start it, sorted by name. */
export function loadInstances(root: string): Instance[] {
  const instances = readEcosystem(root).map((app) => {
    const { config, problems } = loadConfig(relative(root, app.args[1]), app.env, root);
    return { name: app.name, app, config, problems };
  });
  const clashes = findPortClashes(
    root,
    instances.flatMap(({ config }) => config ?? []),
  );
  return instances.map((instance) => ({
    ...instance,
    problems: [...instance.problems, ...clashes.filter(({ file }) => resolve(root, file) === envFile(instance))],
  }));
}

/**
 * The instances that the given names mean; no names, or `all`, mean every one.
 * @throws Failure (usage) when a name is unknown.
 */
export function selectInstances<T extends { readonly name: string }>(
  root: string,
  instances: readonly T[],
  names: readonly string[],
): T[] {
  if (names.length === 0 || names.includes('all')) return [...instances];
  const known = instances.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const example = existsSync(join(root, 'envs', `${name}.env.example`));
    const way = example ? `; make it with: cp envs/${name}.env.example envs/${name}.env` : didYouMean(name, known);
    throw new Failure(`there is no instance "${name}", as there is no envs/${name}.env${way}`, exitCodes.usage);
  }
  return instances.filter(({ name }) => names.includes(name));
}
