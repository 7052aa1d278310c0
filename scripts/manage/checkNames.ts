import { readEcosystem } from './ecosystem.ts';
import { exampleNames } from './firstRun.ts';
import { selectInstances } from './instances.ts';

/**
 * Before anything is made or started: a name stands for an instance, or for an example of one.
 * @throws Failure (usage) when it stands for neither.
 */
export function checkNames(root: string, names: readonly string[]): void {
  const examples = exampleNames(root);
  const others = names.filter((name) => !examples.includes(name));
  if (others.length > 0) selectInstances(root, readEcosystem(root), others);
}
