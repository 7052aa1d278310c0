import { terminalSafe } from '../../core/text.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, worstOf } from '../exitCodes.ts';
import { type Inspection, inspect } from '../supervisor/inspect.ts';
import {
  addressOf,
  checkNames,
  createEnvFiles,
  describeIgnoredEnvFiles,
  type Instance,
  isSound,
  loadInstances,
  reportProblems,
  selectInstances,
} from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { setWorkerCount } from '../supervisor/reload.ts';
import { chooseStep, startInstances } from '../supervisor/start.ts';
import { isUp } from '../supervisor/state.ts';
import { showStatus } from './status.ts';

/**
 * How Claude Code uses an instance, with ./manage and by hand, and what to put in where a secret belongs, which is never
 * printed.
 */
export function useLine(instance: Instance): string {
  const { config, name } = instance;
  const address = `ANTHROPIC_BASE_URL=http://${addressOf(instance)}`;
  const lines = (run: string, byHand: string, ...notes: string[]) =>
    [`Use it: ${run}`, `    or: ${byHand}`, ...notes].join('\n');
  const run = `./manage run ${name}`;
  if (config?.clientToken !== undefined) {
    const note = `(TOKEN is the ANTHROPIC_API_KEY of envs/${name}.env)`;
    return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=TOKEN claude`, note);
  }
  if (config?.provider.key.source !== 'client') return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=unused claude`);
  const { preset } = config.provider;
  // Claude Code's own login goes on to Anthropic itself.
  if (preset.servesClaude === true) return lines(run, `${address} claude`);
  const key = 'ANTHROPIC_AUTH_TOKEN=KEY';
  const note = `(KEY is your key for ${preset.title}, as envs/${name}.env holds none)`;
  return lines(`${key} ${run}`, `${address} ${key} claude`, note);
}

/** Starts what does not run, waits until it answers, shows the status and how to use it. */
export function start(context: Context, invocation: Invocation): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  return withManagerLock(context, invocation, async () => {
    checkNames(root, invocation.names);
    const created = createEnvFiles(root, invocation.names);
    if (created.length > 0) {
      const files = created.map((name) => `envs/${name}.env`).join(', ');
      output.say(
        `Made ${files} from the examples. Put your keys there; without one, the client's own key is passed on.`,
      );
    }
    const instances = loadInstances(root);
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    const selected = selectInstances(root, instances, invocation.names);
    const code = reportProblems(context, selected);
    const observations = await inspect(await pm2.list(), selected);
    const codes = await startInstances(
      context,
      observations.filter(({ instance }) => isSound(instance)),
    );
    if (invocation.processes !== undefined) {
      for (const instance of selected.filter(isSound)) {
        codes.push(await setWorkerCount(context, instance, invocation.processes));
      }
    }
    const isUnchanged = observations.every((observation) => ['keep', 'refuse'].includes(chooseStep(observation)));
    const result =
      isUnchanged && invocation.processes === undefined ? observations : await inspect(await pm2.list(), selected);
    await showResult(context, result, invocation.json);
    return worstOf([code, ...codes]);
  });
}

/** The end of `start` and `restart`: the table, and the line to copy for the first instance that is up. */
export async function showResult(context: Context, observations: readonly Inspection[], json: boolean): Promise<void> {
  const entries = await showStatus(context, observations, json);
  const usable = entries.find(({ state }) => isUp(state))?.inspection.instance;
  if (usable !== undefined) context.output.say(useLine(usable));
}
