import { clientAddress } from '../../src/config/clientAddress.ts';
import { formatDuration } from '../../src/core/formatDuration.ts';
import { terminalSafe } from '../../src/core/terminalSafe.ts';
import { findPortHolder } from '../../src/host/portHolder.ts';
import { describeReload } from './describeReload.ts';
import { exitCodes } from './exitCodes.ts';
import type { Instance } from './instances.ts';
import type { LaunchOutcome } from './launch.ts';
import type { Observation } from './observe.ts';
import { isPartServing } from './parts.ts';
import { hasOlderSettings, type State } from './state.ts';

/** `127.0.0.1:8081`, as a client on this machine would write it. */
export function addressOf({ config }: Instance): string {
  return config === undefined ? 'an unknown port' : clientAddress(config);
}

/** What a user should know of an instance besides its state, and how to mend it; undefined when all is well. */
export async function explain(observation: Observation, state: State): Promise<string | undefined> {
  const { instance, row, rival, answer } = observation;
  const { name } = instance;
  if (state === 'port taken') {
    const holder = instance.config && (await findPortHolder(instance.config.port));
    const who = holder ? `pid ${holder.pid} (${terminalSafe(holder.program)})` : 'another program';
    const says = answer?.kind === 'instance' ? `, which answers as "${terminalSafe(answer.health.instance)}"` : '';
    return `${name}: port ${instance.config?.port} is held by ${who}${says}; end that program or change PORT in envs/${name}.env`;
  }
  if (rival !== undefined) {
    const what = terminalSafe(rival.executable);
    return `${name}: PM2 already has another app of this name (id ${rival.id}, ${what}); rename envs/${name}.env or remove that app`;
  }
  if (state === 'unsupervised') {
    return `${name}: runs, but PM2 does not know it; put it under PM2 again with: ./manage start ${name}`;
  }
  if (state === 'backing off') {
    const often = row?.restarts === 1 ? 'once' : `${row?.restarts} times`;
    return `${name}: ended with exit status ${row?.exitCode ?? 'unknown'} and was started again ${often}; logs/${name}/console.log says why`;
  }
  if (state === 'starting' || state === 'not answering') {
    return `${name}: online but not ready: nothing answers on ${addressOf(instance)} yet`;
  }
  const missing = describeMissingParts(observation);
  if (missing !== undefined) return missing;
  const news = describeReload(observation);
  if (news !== undefined) return news;
  if (hasOlderSettings(observation)) {
    const remedy = instance.config === undefined ? 'mend its env file first' : `./manage reload ${name}`;
    return `${name}: runs with older settings than envs/${name}.env holds; for the new ones: ${remedy}`;
  }
  return undefined;
}

/** What of several processes does not serve, or not under PM2. */
function describeMissingParts({ instance: { name }, parts }: Observation): string | undefined {
  const stray = parts.filter((part) => part.row === undefined).flatMap(({ health }) => health?.pid ?? []);
  if (stray.length > 0 && stray.length < parts.length)
    return `${name}: pid ${stray.join(', ')} serves it too, and PM2 does not know it; end it with: ./manage start ${name}`;
  const silent = parts.filter((part) => !isPartServing(part));
  if (silent.length === 0 || silent.length === parts.length) return undefined;
  const states = silent.map(({ health, row }) => health?.state ?? row?.status).join(', ');
  return `${name}: ${parts.length - silent.length} of ${parts.length} processes serve, the others: ${states}`;
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
