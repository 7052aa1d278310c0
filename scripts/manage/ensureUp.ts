import type { Config } from '../../src/config/config.ts';
import type { Invocation } from './args.ts';
import { bringUp } from './bringUp.ts';
import type { Context } from './context.ts';
import { exitCodes, Failure, worstOf } from './exitCodes.ts';
import { addressOf, explain } from './explain.ts';
import { createEnvFiles } from './firstRun.ts';
import { askPort } from './health.ts';
import { type Instance, isSound, loadInstances, selectInstances } from './instances.ts';
import { type Observation, observe } from './observe.ts';
import { hasOlderSettings } from './state.ts';
import { tellProblems } from './tellProblems.ts';
import { withManagerLock } from './withManagerLock.ts';

/** Whether the project's own process serves, which the port and its command prove without PM2. */
function isServing({ answer, isOurs }: Observation): boolean {
  return answer?.kind === 'instance' && isOurs && answer.health.state === 'serving';
}

/** Whether clients find it where the env file now says; a changed port holds from a restart on. */
async function isAtItsPort({ name }: Instance, { host, port }: Config): Promise<boolean> {
  const answer = await askPort(host, port);
  return answer.kind === 'instance' && answer.health.instance === name;
}

/**
 * The one instance of that name with its configuration.
 * @throws Failure when there is none, or its env file is wrong.
 */
export function loadInstance(context: Context, name: string): { instance: Instance; config: Config } {
  const [instance] = selectInstances(context.root, loadInstances(context.root), [name]);
  const config = instance?.config;
  if (instance === undefined || config === undefined || !isSound(instance)) {
    if (instance !== undefined) tellProblems(context, [instance]);
    throw new Failure(`envs/${name}.env has to be mended first`, exitCodes.configuration);
  }
  return { instance, config };
}

/**
 * Makes one instance answer, unless it does already, and waits until it does.
 * @returns its configuration
 * @throws Failure when it does not come up; why has been told by then.
 */
export async function ensureUp(context: Context, invocation: Invocation, name: string): Promise<Config> {
  const { root, output, pm2 } = context;
  const created = createEnvFiles(root, [name]);
  if (created.length > 0) output.say(`Made envs/${name}.env from its example. Put your key there.`);
  const { instance, config } = loadInstance(context, name);
  const [now] = await observe([], [instance]);
  const elsewhere = `${name} does not listen on ${addressOf(instance)} yet; for its new address: ./manage reload ${name}`;
  if (now !== undefined && isServing(now)) {
    if (!(await isAtItsPort(instance, config))) throw new Failure(elsewhere);
    const remark = hasOlderSettings(now) ? await explain(now, 'serving') : undefined;
    if (remark !== undefined) output.say(remark);
    return config;
  }
  const codes = await withManagerLock(context, invocation, async () =>
    bringUp(context, await observe(await pm2.list(), [instance])),
  );
  const code = worstOf(codes);
  if (code !== exitCodes.ok) throw new Failure(`${name} is not up; see ./manage logs ${name}`, code);
  if (await isAtItsPort(instance, config)) return config;
  throw new Failure(elsewhere);
}
