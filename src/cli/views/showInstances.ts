import { formatProblems } from '../../config/describe.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { diagnosisLine } from '../supervisor/diagnosis.ts';
import { combineHealth } from '../supervisor/health.ts';
import { type Inspection, inspect, listAll } from '../supervisor/inspect.ts';
import { addressOf, describeIgnoredEnvFiles, type Instance, selectInstances } from '../supervisor/instances.ts';
import { deriveState, isUp } from '../supervisor/state.ts';
import { type StatusEntry, statusJson, statusTable } from './statusView.ts';

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export async function showState(context: Context, { names, json }: Invocation<'json'>): Promise<ExitCode> {
  const { root, output } = context;
  const { rows, instances } = await listAll(context);
  const selected = selectInstances(root, instances, names);
  if (instances.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  const entries = await showStatus(context, await inspect(rows, selected), json);
  if (!json) {
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    for (const { hint } of entries) if (hint !== undefined) output.say(hint);
    const problems = selected.flatMap((instance) => instance.problems);
    if (problems.length > 0) output.say(formatProblems(problems));
  }
  return entries.every(({ state }) => isUp(state)) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Prints the state of the instances as it was found, as a table or as JSON. */
export async function showStatus(
  { output }: Context,
  inspections: readonly Inspection[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(inspections.map(describeEntry));
  if (json) output.print(statusJson(entries));
  else if (entries.length > 0) output.print(statusTable(entries, output));
  return entries;
}

async function describeEntry(inspection: Inspection): Promise<StatusEntry> {
  const { answer, isOurs, workers } = inspection;
  const state = deriveState(inspection);
  const reports = workers.flatMap((worker) => worker.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, reports) : undefined;
  return { inspection, state, health, hint: await diagnosisLine(inspection, state) };
}

/** The end of `start` and `restart`: the table, and the line to copy for the first instance that is up. */
export async function showResult(context: Context, inspections: readonly Inspection[], json: boolean): Promise<void> {
  const entries = await showStatus(context, inspections, json);
  const usable = entries.find(({ state }) => isUp(state))?.inspection.instance;
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
