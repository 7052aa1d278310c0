import { findPortHolder } from '../../src/host/portHolder.ts';
import { exitCodes } from './exitCodes.ts';
import { formatDuration } from './format.ts';
import { reachableHost } from './health.ts';
import type { Instance } from './instances.ts';
import type { LaunchOutcome } from './launch.ts';
import type { Observation } from './observe.ts';
import { hasOlderSettings, type State } from './state.ts';
import { terminalSafe } from './terminalSafe.ts';

/** `127.0.0.1:8081`, as a client on this machine would write it. */
export function addressOf({ config }: Instance): string {
  if (config === undefined) return 'an unknown port';
  const host = reachableHost(config.host);
  return `${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** What a user should know of an instance besides its state, and how to mend it; undefined when all is well. */
export async function explain(observation: Observation, state: State): Promise<string | undefined> {
  const { instance, rival, answer } = observation;
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
    return `${name}: runs, but PM2 does not know it; put it under PM2 again with: ./manage restart ${name}`;
  }
  if (hasOlderSettings(observation)) {
    const remedy = instance.config === undefined ? 'mend its env file first' : `./manage restart ${name}`;
    return `${name}: runs with older settings than envs/${name}.env holds; for the new ones: ${remedy}`;
  }
  return undefined;
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
