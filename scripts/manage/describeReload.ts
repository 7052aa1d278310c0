import { dirname, isAbsolute, relative } from 'node:path';
import { asString, isObject, type JsonObject } from '../../src/core/json.ts';
import { terminalSafe } from '../../src/core/text.ts';
import { envFile } from './instances.ts';
import type { Observation } from './observe.ts';
import type { Remark } from './remark.ts';

function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Where a problem is, with the path of its file from the project, as all other problems are shown. */
function placeOf({ file, line, key }: JsonObject, root: string): string {
  const path = asString(file) ?? '';
  const shown = isAbsolute(path) ? relative(root, path) : path;
  return `${shown}${typeof line === 'number' ? `:${line}` : ''} ${key}`;
}

/** What a running instance says of a change of its configuration that it could not take over; undefined when there is none. */
export function describeReload({ instance, answer, isOurs }: Observation): Remark | undefined {
  if (answer?.kind !== 'instance' || !isOurs) return undefined;
  const { config_problems: problems, restart_needed: needed } = answer.health.body;
  const places = objectsIn(problems).map((problem) => placeOf(problem, dirname(dirname(envFile(instance)))));
  if (places.length > 0) return { what: terminalSafe(`serving the old configuration; wrong is ${places.join(', ')}`) };
  if (Array.isArray(needed) && needed.length > 0)
    return {
      what: terminalSafe(`restart needed for ${needed.join(', ')}`),
      remedy: `do it with: ./manage reload ${instance.name}`,
    };
  return undefined;
}
