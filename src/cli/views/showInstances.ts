import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblems } from '../../config/diagnostics.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { addressOf, explain } from '../supervisor/explain.ts';
import { combineHealth } from '../supervisor/health.ts';
import { type Instance, selectInstances } from '../supervisor/instances.ts';
import { type Observation, observe, takeStock } from '../supervisor/observe.ts';
import { isUp, judge } from '../supervisor/state.ts';
import { type StatusEntry, statusJson, statusTable } from './statusView.ts';

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export async function showState(context: Context, { names, json }: Invocation<'json'>): Promise<ExitCode> {
  const { root, output } = context;
  const { rows, instances } = await takeStock(context);
  const selected = selectInstances(root, instances, names);
  if (instances.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  const entries = await showStatus(context, await observe(rows, selected), json);
  if (!json) {
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    for (const { remark } of entries) if (remark !== undefined) output.say(remark);
    const problems = selected.flatMap((instance) => instance.problems);
    if (problems.length > 0) output.say(formatProblems(problems));
  }
  return entries.every(({ state }) => isUp(state)) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Prints the state of the instances as it was observed, as a table or as JSON. */
export async function showStatus(
  { output }: Context,
  observations: readonly Observation[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(observations.map(describeEntry));
  if (json) output.print(statusJson(entries));
  else if (entries.length > 0) output.print(statusTable(entries, output));
  return entries;
}

async function describeEntry(observation: Observation): Promise<StatusEntry> {
  const { answer, isOurs, parts } = observation;
  const state = judge(observation);
  const reported = parts.flatMap((part) => part.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, reported) : undefined;
  return { observation, state, health, remark: await explain(observation, state) };
}

/** The end of `start` and `restart`: the table, and the line to copy for the first instance that is up. */
export async function showResult(context: Context, observations: readonly Observation[], json: boolean): Promise<void> {
  const entries = await showStatus(context, observations, json);
  const usable = entries.find(({ state }) => isUp(state))?.observation.instance;
  if (usable !== undefined) context.output.say(useLine(usable));
}

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
