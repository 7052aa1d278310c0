import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblems } from '../../config/diagnostics.ts';
import { configFromText } from '../../config/load.ts';
import { findPreset, presets } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import type { Context, Invocation } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { inspect } from '../supervisor/inspect.ts';
import { isCopyOfExample, loadInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { reloadReason, rollingReload } from '../supervisor/reload.ts';
import { loadInstance } from '../supervisor/start.ts';
import { deriveState, isUp } from '../supervisor/state.ts';
import { didYouMean, type Output } from '../terminal/output.ts';
import { type Prompter, readSecretFromStdin } from '../terminal/prompt.ts';
import { renderTable } from '../terminal/table.ts';
import {
  checkInstanceName,
  createPrivateFile,
  envLine,
  envPath,
  freePort,
  hasEnvFile,
  isPortTaken,
  OWNER_ONLY,
  portIn,
  portsOf,
  replaceFile,
  unusedName,
} from './envFiles.ts';
import { envFileText, keyNameOf, takesKey } from './exampleFile.ts';

/** What the env file of a new instance is made from. */
export interface NewInstance {
  readonly name: string;
  readonly preset: Preset;
  readonly port: number;
  /** Empty for none. */
  readonly key: string;
  readonly region: string | undefined;
  readonly url: string | undefined;
  readonly model: string | undefined;
}

/** A new instance; its env file may be there already, as a copy of the example that nobody has filled in. */
export interface PlannedInstance extends NewInstance {
  readonly exists: boolean;
}

/** The options that a new instance is described by. */
type NewInstanceInvocation = Invocation<'as' | 'port' | 'region' | 'url' | 'model' | 'stdin' | 'input'>;

/**
 * Everything that a new instance needs: from the command line, and what is missing there from the user, as far as there is a
 * terminal to ask on.
 * @throws Failure (usage) for what is wrong, or is missing and cannot be asked.
 */
export async function planInstance(context: Context, invocation: NewInstanceInvocation): Promise<PlannedInstance> {
  const prompter = invocation.input ? context.prompter : undefined;
  const preset = await choosePreset(context, invocation, prompter);
  const name = await chooseName(context, invocation, preset, prompter);
  const exists = hasEnvFile(context.root, name);
  const port = await choosePort(context, invocation, preset, exists ? portOf(context, name) : undefined);
  const region = await chooseRegion(invocation, preset, prompter);
  const isComplete = preset.baseUrl !== '' || preset.protocol === 'demo';
  const url =
    invocation.url ??
    (isComplete ? undefined : await askRequired(prompter, '--url URL', `Address of ${preset.title}: `));
  const model =
    invocation.model ??
    (preset.tiers === undefined ? await askRequired(prompter, '--model MODEL', 'Model to use: ') : undefined);
  return { name, preset, port, region, url, model, exists, key: await readKey(invocation, preset, prompter) };
}

async function choosePreset(
  { output }: Context,
  { names: [word] }: Invocation,
  prompter: Prompter | undefined,
): Promise<Preset> {
  if (word !== undefined) return presetNamed(word);
  if (prompter !== undefined) return askForPreset(prompter, output);
  throw new Failure(
    'there is no terminal to ask on; name the provider, as in: ./manage init openai --stdin < FILE',
    exitCodes.usage,
  );
}

/**
 * The preset of this name.
 * @throws Failure (usage) when there is none.
 */
export function presetNamed(word: string): Preset {
  const preset = findPreset(word);
  if (preset !== undefined) return preset;
  throw new Failure(`${describeUnknown(word)} (all of them: ./manage providers)`, exitCodes.usage);
}

/** Shows all providers and asks until one is chosen, by number or name. */
export async function askForPreset(prompter: Prompter, output: Output): Promise<Preset> {
  const rows = presets.map((preset, index) => ({ preset, number: String(index + 1) }));
  const table = renderTable(
    [
      { title: '', align: 'right', cell: ({ number }) => number },
      { title: 'provider', cell: ({ preset }) => preset.name },
      { title: '', cell: ({ preset }) => preset.title },
    ],
    rows,
    output.columns,
  );
  output.say(table.join('\n'));
  for (;;) {
    const answer = await prompter.ask('Provider (number or name): ');
    const preset = rows.find(({ number }) => number === answer)?.preset ?? findPreset(answer);
    if (preset !== undefined) return preset;
    if (answer !== '') output.complain(describeUnknown(answer));
  }
}

function describeUnknown(word: string): string {
  const names = presets.map(({ name }) => name);
  return `there is no provider "${word}"${didYouMean(word, names)}`;
}

async function chooseName(
  { root }: Context,
  { as }: Pick<NewInstanceInvocation, 'as'>,
  preset: Preset,
  prompter: Prompter | undefined,
): Promise<string> {
  const wanted = as ?? preset.name;
  checkInstanceName(wanted);
  if (!hasEnvFile(root, wanted) || isUnfilled(root, wanted, preset)) return wanted;
  const there = `${envPath(wanted)} is there already and is not changed`;
  if (as !== undefined || prompter === undefined) {
    throw new Failure(
      `${there}; to change it: ./manage edit ${wanted}, to make another: --as ${unusedName(root, wanted)}`,
      exitCodes.usage,
    );
  }
  const offered = unusedName(root, wanted);
  const name = (await prompter.ask(`${there}. Name of the new instance [${offered}]: `)) || offered;
  checkInstanceName(name);
  if (hasEnvFile(root, name)) throw new Failure(`${envPath(name)} is there already, too`, exitCodes.usage);
  return name;
}

/** Whether the env file is the example of this provider as it was: it holds no key and nothing of the user's. */
function isUnfilled(root: string, name: string, preset: Preset): boolean {
  return name === preset.name && isCopyOfExample(join(root, envPath(name)));
}

function portOf({ root }: Context, name: string): number | undefined {
  return portIn(readFileSync(join(root, envPath(name)), 'utf8'));
}

/** @param own The port in the file that is filled in, where the instance may listen by now. */
async function choosePort(
  { root }: Context,
  { port }: Pick<NewInstanceInvocation, 'port'>,
  preset: Preset,
  own: number | undefined,
): Promise<number> {
  if (own !== undefined && (port ?? own) === own) return own;
  const used = portsOf(loadInstances(root));
  if (port === undefined) return freePort(used, preset);
  if (used.has(port)) throw new Failure(`port ${port} stands in another env file: ./manage list`, exitCodes.usage);
  if (await isPortTaken(port)) throw new Failure(`port ${port} is taken by another program`, exitCodes.usage);
  return port;
}

/** The region; keys belong to one, so it is asked for where the provider has several. */
async function chooseRegion(
  { region }: Pick<NewInstanceInvocation, 'region'>,
  preset: Preset,
  prompter: Prompter | undefined,
): Promise<string | undefined> {
  const known = Object.keys(preset.regions ?? {});
  if (known.length > 0 && region === undefined && prompter !== undefined) {
    for (;;) {
      const answer = await prompter.ask(
        `Region of your key: ${known.join(', ')}, or Enter for the international one: `,
      );
      if (answer === '') return undefined;
      if (known.includes(answer)) return answer;
    }
  }
  if (region === undefined || known.includes(region)) return region;
  const hint = known.length === 0 ? `${preset.name} has none` : `${preset.name} has ${known.join(', ')}`;
  throw new Failure(`there is no region "${region}"; ${hint}`, exitCodes.usage);
}

async function askRequired(prompter: Prompter | undefined, option: string, question: string): Promise<string> {
  if (prompter === undefined) throw new Failure(`this provider needs ${option}`, exitCodes.usage);
  for (;;) {
    const answer = await prompter.ask(question);
    if (answer !== '') return answer;
  }
}

/** The key, empty for none. It is never asked of a server that usually wants none. */
async function readKey(
  { stdin, input }: Pick<NewInstanceInvocation, 'stdin' | 'input'>,
  preset: Preset,
  prompter: Prompter | undefined,
): Promise<string> {
  if (stdin) return readSecretFromStdin(process.stdin, '--stdin');
  if (!takesKey(preset) || preset.keyOptional === true || !input) return '';
  if (prompter !== undefined) {
    const source = preset.links.keys === undefined ? '' : ` (from ${preset.links.keys})`;
    return prompter.askHidden(`Key for ${preset.title}${source}; it is not shown, Enter for none: `);
  }
  throw new Failure(
    'there is no terminal to ask for the key on; give it with --stdin < FILE, or go without one with --no-input',
    exitCodes.usage,
  );
}

/**
 * Writes the env file of a new instance, after the same check that its start would make.
 * @returns what was done, in a sentence
 * @throws Failure (configuration) when it could not start with it; then nothing is written.
 */
export function writeInstance({ root, output }: Context, instance: PlannedInstance): string {
  const file = envPath(instance.name);
  const text = envText(instance);
  const { config, problems } = configFromText(file, text, {}, root);
  if (config === undefined) {
    throw new Failure(`${formatProblems(problems)}\n${file} was not written`, exitCodes.configuration);
  }
  if (instance.exists) replaceFile(join(root, file), text, OWNER_ONLY);
  else createPrivateFile(join(root, file), file, text);
  if (problems.length > 0) output.say(formatProblems(problems));
  return `${instance.exists ? 'Filled in' : 'Made'} ${file} for ${instance.preset.title} on port ${instance.port}.`;
}

/** The text of its env file. */
export function envText({ name, preset, port, key, region, url, model }: NewInstance): string {
  const chosen = Object.entries({ REGION: region, OPENAI_BASE_URL: url, BIG_MODEL: model }).flatMap(([one, value]) =>
    value === undefined ? [] : [[one, envLine(one, value)] as const],
  );
  return envFileText({
    preset,
    port,
    usage: `Start it: ./manage start ${name}. While it runs it takes over what is saved here.`,
    chosen: Object.fromEntries(chosen),
    keyLine: envLine(keyNameOf(preset), key),
  });
}

/** Waits until an instance that runs has the settings that were just written, and makes new processes where it has to. */
export async function applySettings(context: Context, invocation: Invocation, name: string): Promise<void> {
  const { instance } = loadInstance(context, name);
  const [now] = await inspect(await context.pm2.list(), [instance]);
  if (now === undefined || now.nameConflict !== undefined || !isUp(deriveState(now))) return;
  if ((await reloadReason(now, undefined)) === undefined) return;
  await withManagerLock(context, invocation, () => rollingReload(context, now));
}
