import { dirname, isAbsolute, relative } from 'node:path';
import { clientAddress } from '../../config/identity.ts';
import { asString, isObject, type JsonObject } from '../../core/json.ts';
import { formatDuration, terminalSafe } from '../../core/text.ts';
import { findPortHolder } from '../../host/ports.ts';
import { exitCodes } from '../exitCodes.ts';
import { envFile, type Instance } from './instances.ts';
import type { LaunchOutcome } from './launch.ts';
import { isPartServing, type Observation } from './observe.ts';
import { hasOlderSettings, type State } from './state.ts';

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

/** What a user should know of an instance besides its state. */
export interface Remark {
  readonly what: string;
  /** How to mend it; undefined where there is nothing to do, or `what` says it. */
  readonly remedy?: string;
}

/** A remark in a line that begins with the instance. */
export function remarkLine(name: string, { what, remedy }: Remark): string {
  return remedy === undefined ? `${name}: ${what}` : `${name}: ${what}; ${remedy}`;
}

/** `127.0.0.1:8081`, as a client on this machine would write it. */
export function addressOf({ config }: Instance): string {
  return config === undefined ? 'an unknown port' : clientAddress(config);
}

/** What a user should know of an instance besides its state, and how to mend it, in a line; undefined when all is well. */
export async function explain(observation: Observation, state: State): Promise<string | undefined> {
  const remark = await findRemark(observation, state);
  return remark && remarkLine(observation.instance.name, remark);
}

/** The same in its parts. */
export async function findRemark(observation: Observation, state: State): Promise<Remark | undefined> {
  const { instance, row, rival } = observation;
  const { name } = instance;
  if (state === 'port taken') {
    const what = await describeHolder(observation);
    return { what, remedy: `end that program or change PORT in envs/${name}.env` };
  }
  if (rival !== undefined) {
    return {
      what: `PM2 already has another app of this name (id ${rival.id}, ${terminalSafe(rival.executable)})`,
      remedy: `rename envs/${name}.env or remove that app`,
    };
  }
  if (state === 'unsupervised') {
    return {
      what: 'runs, but PM2 does not know it',
      remedy: `put it under PM2 again with: ./manage start ${name}`,
    };
  }
  if (state === 'backing off') {
    const often = row?.restarts === 1 ? 'once' : `${row?.restarts} times`;
    const status = row?.exitCode ?? 'unknown';
    return {
      what: `ended with exit status ${status} and was started again ${often}; logs/${name}/console.log says why`,
    };
  }
  if (state === 'starting' || state === 'not answering') {
    return { what: `online but not ready: nothing answers on ${addressOf(instance)} yet` };
  }
  const found = describeMissingParts(observation) ?? describeReload(observation);
  if (found !== undefined || !hasOlderSettings(observation)) return found;
  const remedy = instance.config === undefined ? 'mend its env file first' : `./manage reload ${name}`;
  return {
    what: `runs with older settings than envs/${name}.env holds`,
    remedy: `for the new ones: ${remedy}`,
  };
}

/** Who has the port of an instance. */
async function describeHolder({ instance: { config }, answer }: Observation): Promise<string> {
  const holder = config && (await findPortHolder(config.port));
  const who = holder ? `pid ${holder.pid} (${terminalSafe(holder.program)})` : 'another program';
  const says = answer?.kind === 'instance' ? `, which answers as "${terminalSafe(answer.health.instance)}"` : '';
  return `port ${config?.port} is held by ${who}${says}`;
}

/** What of several processes does not serve, or not under PM2. */
function describeMissingParts({ instance: { name }, parts }: Observation): Remark | undefined {
  const stray = parts.filter((part) => part.row === undefined).flatMap(({ health }) => health?.pid ?? []);
  if (stray.length > 0 && stray.length < parts.length) {
    return {
      what: `pid ${stray.join(', ')} serves it too, and PM2 does not know it`,
      remedy: `end it with: ./manage start ${name}`,
    };
  }
  const silent = parts.filter((part) => !isPartServing(part));
  if (silent.length === 0 || silent.length === parts.length) return undefined;
  const states = silent.map(({ health, row }) => health?.state ?? row?.status).join(', ');
  return { what: `${parts.length - silent.length} of ${parts.length} processes serve, the others: ${states}` };
}

/** What became of a start, in a line, with what the instance itself said below when it did not come up. */
export function describeOutcome({ instance, code, elapsedMs, row, said }: LaunchOutcome): string {
  const { name } = instance;
  if (code === exitCodes.ok) return `${name} up on ${addressOf(instance)} in ${formatDuration(elapsedMs)}`;
  const words = said.length > 0 ? ['; it said:', ...said.map((line) => `    ${terminalSafe(line)}`)].join('\n') : '';
  if (code === exitCodes.notReady) {
    return `${name} does not answer on ${addressOf(instance)} after ${formatDuration(elapsedMs)}${words}`;
  }
  const again = code === exitCodes.configuration ? '' : '; PM2 tries it again, ever more slowly';
  return `${name} ended at start (exit status ${row?.exitCode ?? 'unknown'})${again}${words}`;
}
