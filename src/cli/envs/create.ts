import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASSUMED_WINDOW } from '../../config/clientEnvironment.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { configFromText } from '../../config/load.ts';
import { isLoopbackAddress } from '../../config/secrets.ts';
import { terminalSafe } from '../../core/text.ts';
import { findPreset, presets } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import type { Context, Invocation } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { loadInstances } from '../supervisor/instances.ts';
import { didYouMean } from '../terminal/output.ts';
import { type Prompter, readSecretFromStdin } from '../terminal/prompt.ts';
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
import { envFileText, isCopyOfExample, keyNameOf, takesKey } from './exampleFiles.ts';
import { askServer, type ServerAnswer } from './ownServer.ts';
import {
  askForAddress,
  askForKey,
  askForModel,
  askForName,
  askForPreset,
  askForRegion,
  askForWindow,
  EXAMPLE_ADDRESS,
  INTERNATIONAL,
  withScheme,
} from './questions.ts';

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
  /** In tokens, as a server of the user's own has it; undefined where the preset knows it or nobody does. */
  readonly contextWindow?: string | undefined;
}

/** A new instance; its env file may be there already, as a copy of the example that nobody has filled in. */
export interface PlannedInstance extends NewInstance {
  readonly exists: boolean;
  /** Whether nothing answered at the address of a server of the user's own. */
  readonly isUnreachable?: boolean;
}

/** The options that a new instance is described by. */
type NewInstanceInvocation = Invocation<'as' | 'port' | 'region' | 'url' | 'model' | 'stdin' | 'input'>;

/**
 * Everything that a new instance needs: from the command line, and what is missing there from the user, as far as there is a
 * terminal to ask on, or from a server of the user's own.
 * @throws Failure (usage) for what is wrong, or is missing and cannot be asked.
 */
export async function planInstance(context: Context, invocation: NewInstanceInvocation): Promise<PlannedInstance> {
  const prompter = invocation.input ? context.prompter : undefined;
  const preset = await choosePreset(invocation, prompter);
  const name = await chooseName(context, invocation, preset, prompter);
  const exists = hasEnvFile(context.root, name);
  const port = await choosePort(context, invocation, preset, exists ? portOf(context, name) : undefined);
  const region = await chooseRegion(invocation, preset, prompter);
  const draft = { name, preset, port, region, url: undefined, model: PLACEHOLDER, exists, key: '' };
  const url = await chooseAddress(context, invocation, draft, prompter);
  const key = await readKey(context, invocation, { ...draft, url }, prompter);
  const { planned, server } = isOwnServer(preset)
    ? await findServer(context, { ...draft, url, key }, invocation.stdin ? undefined : prompter)
    : { planned: { ...draft, url, key }, server: NOT_ASKED };
  const address = addressOf(planned);
  if (isLoopbackAddress(address) && URL.parse(address)?.port === String(port))
    throw new Failure(`port ${port} is that of the server at ${address}; choose another by --port`, exitCodes.usage);
  const model = await chooseModel(context, invocation, planned, server, prompter);
  const contextWindow =
    model === undefined || server === NOT_ASKED
      ? undefined
      : await chooseWindow(context, { ...planned, model }, server, prompter);
  if (contextWindow !== undefined && Number(contextWindow) < LEAST_WINDOW)
    context.output.say(`That is little: the first request of Claude Code alone has up to 25,000 tokens.`);
  return { ...planned, model, contextWindow };
}

/** In tokens: with less there is hardly a conversation. */
const LEAST_WINDOW = 32_000;

/** Stands for a model that is not chosen yet, where other settings are checked. */
const PLACEHOLDER = 'model';

/** Whether the server is the user's own, or one that nobody knows, so that it alone can say which models it has. */
function isOwnServer({ hosts, tiers, protocol }: Preset): boolean {
  return hosts.length === 0 && tiers === undefined && protocol !== 'demo';
}

const NOT_ASKED: ServerAnswer = { models: [] };

/** What a server that wants no key is sent in its place, since an instance without any passes on that of Claude Code. */
const NO_KEY = 'unused';

/**
 * Asks a server for its models, and the user once more for the address where nothing answers, and for the key that is refused.
 * @returns the instance with the address of the API and the key that go with the answer
 */
async function findServer(
  context: Context,
  draft: PlannedInstance,
  prompter: Prompter | undefined,
): Promise<{ readonly planned: PlannedInstance; readonly server: ServerAnswer }> {
  const { output } = context;
  const { preset } = draft;
  let planned = draft;
  let server = await askServerOf(context, planned);
  while (server.isUnreachable === true && prompter !== undefined) {
    const address = addressOf(planned);
    const why = server.failure === 'ECONNREFUSED' ? 'Nothing listens at' : `No answer (${server.failure}) from`;
    output.complain(terminalSafe(`${why} ${address}: start the server, or give another address.`));
    const url = await askForAddress(prompter, 'Address of the server (Enter keeps this one)', address, (typed) =>
      problemOf(context, { ...draft, url: typed }, 'OPENAI_BASE_URL'),
    );
    planned = url === address ? planned : { ...planned, url };
    server = await askServerOf(context, planned);
    if (url === address) break;
  }
  while (server.refusesKey === true && prompter !== undefined) {
    const question =
      planned.key === ''
        ? 'The server wants a key. Which one? (Enter for none)'
        : 'The server refuses this key. Another one? (Enter keeps it)';
    const other = await askForKey(prompter, output, question, (typed) => keyProblem(context, planned, typed));
    if (other === '') break;
    planned = { ...planned, key: other };
    server = await askServerOf(context, planned);
  }
  if (preset.protocol === 'chat' && server.baseUrl !== undefined) {
    output.say(terminalSafe(`Its API is at ${server.baseUrl}, which is taken.`));
    planned = { ...planned, url: server.baseUrl };
  }
  if (needsPlaceholder(planned) && server.refusesKey !== true) {
    output.say(`Without a key: ${keyNameOf(preset)}=${NO_KEY} is taken, a word that such servers ignore.`);
    planned = { ...planned, key: NO_KEY };
  }
  return { planned: { ...planned, isUnreachable: server.isUnreachable === true }, server };
}

/** Whether a server that has no key is the user's own by its address: on this machine, or without the encryption of a vendor's. */
function needsPlaceholder(instance: NewInstance): boolean {
  const { preset, key } = instance;
  const address = addressOf(instance);
  if (key !== '' || preset.protocol !== 'chat' || preset.keyOptional === true) return false;
  return isLoopbackAddress(address) || address.startsWith('http:');
}

function addressOf({ preset, region, url }: NewInstance): string {
  return url ?? preset.regions?.[region ?? ''] ?? preset.baseUrl;
}

async function askServerOf({ output }: Context, instance: NewInstance): Promise<ServerAnswer> {
  const { preset, key } = instance;
  const address = addressOf(instance);
  output.say(`Asking ${address} for its models ...`);
  const header = preset.keyHeader ?? 'authorization';
  const value = preset.keyHeader === undefined ? `Bearer ${key}` : key;
  return askServer(address, key === '' ? {} : { [header]: value });
}

/** What is wrong with one setting of an instance, by the check that its start would make; undefined when nothing is. */
export function problemOf({ root }: Context, instance: NewInstance, setting: string): string | undefined {
  const file = envPath(instance.name);
  try {
    const { problems } = configFromText(file, envText(instance), {}, root);
    const found = problems.find(({ key, severity }) => key === setting && severity === 'error');
    const isWithoutScheme = setting === 'OPENAI_BASE_URL' && instance.url?.includes('://') !== true;
    return found && `Found ${found.found}. ${found.fix}${isWithoutScheme ? ' http:// or https:// is missing.' : ''}`;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

async function chooseAddress(
  context: Context,
  { url }: Pick<NewInstanceInvocation, 'url'>,
  draft: NewInstance,
  prompter: Prompter | undefined,
): Promise<string | undefined> {
  const { preset } = draft;
  const isNeeded = preset.baseUrl === '' && preset.protocol !== 'demo';
  const isAsked = isNeeded || (isOwnServer(preset) && prompter !== undefined);
  if (url !== undefined || !isAsked) return url === undefined ? undefined : withScheme(url);
  if (prompter === undefined) throw new Failure('this provider needs --url URL', exitCodes.usage);
  const question =
    preset.baseUrl === ''
      ? `Address of the server, such as ${EXAMPLE_ADDRESS}`
      : 'Address of the server (Enter for this one)';
  const answer = await askForAddress(prompter, question, preset.baseUrl, (typed) =>
    problemOf(context, { ...draft, url: typed }, 'OPENAI_BASE_URL'),
  );
  return answer === preset.baseUrl ? undefined : answer;
}

async function chooseModel(
  context: Context,
  { model }: Pick<NewInstanceInvocation, 'model'>,
  draft: NewInstance,
  server: ServerAnswer,
  prompter: Prompter | undefined,
): Promise<string | undefined> {
  if (model !== undefined || draft.preset.tiers !== undefined || draft.preset.protocol === 'demo') return model;
  if (prompter !== undefined)
    return askForModel(prompter, server, context.output, (typed) =>
      problemOf(context, { ...draft, model: typed }, 'BIG_MODEL'),
    );
  const [only, ...others] = server.models;
  if (only !== undefined && others.length === 0) return only.name;
  const known = server.models.slice(0, 10).map(({ name }) => terminalSafe(name));
  const hint = known.length === 0 ? '' : `; the server has ${known.join(', ')}`;
  throw new Failure(`this provider needs --model MODEL${hint}`, exitCodes.usage);
}

/** The window that the server has for the model, else the user's word; undefined when neither can be asked. */
async function chooseWindow(
  context: Context,
  draft: NewInstance,
  server: ServerAnswer,
  prompter: Prompter | undefined,
): Promise<string | undefined> {
  const { output } = context;
  const model = server.models.find(({ name }) => name === draft.model) ?? { name: draft.model ?? '' };
  if (model.contextWindow !== undefined) {
    output.say(
      `The server has a context window of ${model.contextWindow.toLocaleString('en-US')} tokens for this model.`,
    );
    return String(model.contextWindow);
  }
  if (prompter !== undefined)
    return askForWindow(prompter, model, (typed) =>
      problemOf(context, { ...draft, contextWindow: typed }, 'QUIRK_CONTEXT_WINDOW'),
    );
  output.say(
    `The context window is not known, ${ASSUMED_WINDOW.toLocaleString('en-US')} tokens are assumed; set QUIRK_CONTEXT_WINDOW in ${envPath(draft.name)}`,
  );
  return undefined;
}

async function choosePreset({ names: [word] }: Invocation, prompter: Prompter | undefined): Promise<Preset> {
  if (word !== undefined) return presetNamed(word);
  if (prompter !== undefined) return askForPreset(prompter);
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
  const nearest = didYouMean(
    word,
    presets.map(({ name }) => name),
  );
  throw new Failure(`there is no provider "${word}"${nearest} (all of them: ./manage providers)`, exitCodes.usage);
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
  const correct = takesKey(preset) ? `; to correct its key: ./manage key ${wanted}` : '';
  const there = `${envPath(wanted)} is there already and is not changed${correct}`;
  if (as !== undefined || prompter === undefined) {
    throw new Failure(
      `${there}; to change other settings: ./manage edit ${wanted}, to make another: --as ${unusedName(root, wanted)}`,
      exitCodes.usage,
    );
  }
  const question = `${there}. Name of the new instance`;
  return askForName(prompter, question, unusedName(root, wanted), (name) => hasEnvFile(root, name));
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
  { region, url }: Pick<NewInstanceInvocation, 'region' | 'url'>,
  preset: Preset,
  prompter: Prompter | undefined,
): Promise<string | undefined> {
  const known = Object.keys(preset.regions ?? {});
  const isAsked = known.length > 0 && region === undefined && url === undefined;
  if (isAsked && prompter !== undefined) return askForRegion(prompter, preset);
  if (region === undefined || known.includes(region)) return region;
  if (region === INTERNATIONAL && known.length > 0) return undefined;
  const hint = `${preset.name} has ${known.length === 0 ? 'none' : [INTERNATIONAL, ...known].join(', ')}`;
  throw new Failure(`there is no region "${region}"; ${hint}`, exitCodes.usage);
}

/** The key, empty for none. It is never asked of a server that usually wants none. */
async function readKey(
  context: Context,
  { stdin, input }: Pick<NewInstanceInvocation, 'stdin' | 'input'>,
  draft: NewInstance,
  prompter: Prompter | undefined,
): Promise<string> {
  const { preset } = draft;
  if (stdin) return readSecretFromStdin(process.stdin, '--stdin');
  if (!takesKey(preset) || preset.keyOptional === true || !input) return '';
  if (prompter !== undefined) {
    const source = preset.links.keys === undefined ? '' : ` (from ${preset.links.keys})`;
    const question = `Key for ${preset.title}${source}; it is not shown, Enter for none`;
    return askForKey(prompter, context.output, question, (typed) => keyProblem(context, draft, typed));
  }
  throw new Failure(
    'there is no terminal to ask for the key on; give it with --stdin < FILE, or go without one with --no-input',
    exitCodes.usage,
  );
}

/** What is wrong with a key, as far as one can see; undefined when nothing is. */
export function keyProblem(context: Context, instance: NewInstance, key: string): string | undefined {
  return problemOf(context, { ...instance, key }, keyNameOf(instance.preset));
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
export function envText({ name, preset, port, key, region, url, model, contextWindow }: NewInstance): string {
  const settings = { REGION: region, OPENAI_BASE_URL: url, BIG_MODEL: model, QUIRK_CONTEXT_WINDOW: contextWindow };
  const chosen = Object.entries(settings).flatMap(([one, value]) =>
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
