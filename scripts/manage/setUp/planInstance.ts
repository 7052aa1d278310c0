import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Preset } from '../../../src/providers/preset.ts';
import { takesKey } from '../../docs/exampleFile.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isCopyOfExample } from '../firstRun.ts';
import { loadInstances } from '../instances.ts';
import type { Prompter } from '../prompter.ts';
import { readSecretFromStdin } from '../readStdin.ts';
import { askForPreset, presetNamed } from './choosePreset.ts';
import { freePort, isPortTaken, portIn, portsOf } from './freePort.ts';
import { checkInstanceName, envPath, hasEnvFile, unusedName } from './instanceNames.ts';
import type { NewInstance } from './newInstance.ts';

/** A new instance; its env file may be there already, as a copy of the example that nobody has filled in. */
export interface PlannedInstance extends NewInstance {
  readonly isThere: boolean;
}

/**
 * Everything that a new instance needs: from the command line, and what is missing there from the user, as far as there is a
 * terminal to ask on.
 * @throws Failure (usage) for what is wrong, or is missing and cannot be asked.
 */
export async function planInstance(context: Context, invocation: Invocation): Promise<PlannedInstance> {
  const prompter = invocation.input ? context.prompter : undefined;
  const preset = await choosePreset(context, invocation, prompter);
  const name = await chooseName(context, invocation, preset, prompter);
  const isThere = hasEnvFile(context.root, name);
  const port = await choosePort(context, invocation, preset, isThere ? portOf(context, name) : undefined);
  const region = await chooseRegion(invocation, preset, prompter);
  const isComplete = preset.baseUrl !== '' || preset.protocol === 'demo';
  const url =
    invocation.url ?? (isComplete ? undefined : await need(prompter, '--url URL', `Address of ${preset.title}: `));
  const model =
    invocation.model ??
    (preset.tiers === undefined ? await need(prompter, '--model MODEL', 'Model to use: ') : undefined);
  return { name, preset, port, region, url, model, isThere, key: await readKey(invocation, preset, prompter) };
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

async function chooseName(
  { root }: Context,
  { as }: Invocation,
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
  { port }: Invocation,
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
  { region }: Invocation,
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

async function need(prompter: Prompter | undefined, option: string, question: string): Promise<string> {
  if (prompter === undefined) throw new Failure(`this provider needs ${option}`, exitCodes.usage);
  for (;;) {
    const answer = await prompter.ask(question);
    if (answer !== '') return answer;
  }
}

/** The key, empty for none. It is never asked of a server that usually wants none. */
async function readKey({ stdin, input }: Invocation, preset: Preset, prompter: Prompter | undefined): Promise<string> {
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
