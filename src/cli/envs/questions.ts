import { isLoopbackAddress } from '../../config/secrets.ts';
import { terminalSafe } from '../../core/text.ts';
import { commonPresets, presets } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import type { Output } from '../terminal/output.ts';
import type { AnswerRules, Prompter } from '../terminal/prompt.ts';
import { isInstanceName, NAME_RULE } from './envFiles.ts';
import type { ServedModel, ServerAnswer } from './ownServer.ts';

// The questions of `init` and `add`. What is wrong with an answer is said at once, and that answer is asked for again.

/** Says what is wrong with the value of a setting, by the check that the start makes. */
export type CheckSetting = (value: string) => string | undefined;

/** Lets the user choose a provider: the common ones first, all others by "more" or by typing. */
export async function askForPreset(prompter: Prompter): Promise<Preset> {
  const ordered = [...commonPresets, ...presets.filter((preset) => !commonPresets.includes(preset))];
  const width = Math.max(...ordered.map(({ name }) => name.length));
  const choices = ordered.map(({ name, title, otherNames = [] }) => ({
    value: name,
    label: `${name.padEnd(width)}  ${title}`,
    words: otherNames,
  }));
  const chosen = await prompter.choose('Which provider?', choices, commonPresets.length);
  return ordered.find(({ name }) => name === chosen) ?? askForPreset(prompter);
}

/** @param isTaken whether there is an instance of this name already */
export function askForName(
  prompter: Prompter,
  question: string,
  offered: string,
  isTaken: (name: string) => boolean,
): Promise<string> {
  const check = (name: string) => {
    if (!isInstanceName(name)) return `Not "${name}": ${NAME_RULE}.`;
    return isTaken(name) ? `There is an instance ${name} already.` : undefined;
  };
  return prompter.ask(question, { fallback: offered, example: offered, check });
}

/** @returns undefined for the address that is in no region */
export async function askForRegion(prompter: Prompter, preset: Preset): Promise<string | undefined> {
  const { baseUrl, regions = {}, links } = preset;
  const names = Object.keys(regions);
  const width = Math.max(...names.map((name) => name.length), INTERNATIONAL.length);
  const label = (name: string, url: string) => `${name.padEnd(width)}  ${URL.parse(url)?.host ?? url}`;
  const keys = links.keys === undefined ? '' : `; keys from ${URL.parse(links.keys)?.host ?? links.keys}`;
  const choices = [
    { value: INTERNATIONAL, label: `${label(INTERNATIONAL, baseUrl)}${keys}` },
    ...names.map((name) => ({ value: name, label: label(name, regions[name] ?? '') })),
  ];
  const chosen = await prompter.choose('Where is your key from?', choices);
  return chosen === INTERNATIONAL ? undefined : chosen;
}

/** The word for the address of a provider that is in none of its regions. */
export const INTERNATIONAL = 'international';
export const EXAMPLE_ADDRESS = 'http://127.0.0.1:8000/v1';

/**
 * The address of a server.
 * @param usual what Enter alone means; empty where an answer is needed
 */
export async function askForAddress(
  prompter: Prompter,
  question: string,
  usual: string,
  check: CheckSetting,
): Promise<string> {
  const rules: AnswerRules = { example: usual || EXAMPLE_ADDRESS, check: (typed) => check(withScheme(typed)) };
  return withScheme(await prompter.ask(question, usual === '' ? rules : { ...rules, fallback: usual }));
}

/** An address of this machine as it is mostly typed, `127.0.0.1:8000`, with its `http://`; any other as it is. */
export function withScheme(typed: string): string {
  const whole = `http://${typed}`;
  return !typed.includes('://') && isLoopbackAddress(whole) ? whole : typed;
}

/** From this length on the last characters say which key it is, and not what it is. */
const LONG_KEY = 16;

/** The key, empty for none; says how much has arrived, as nothing of it is shown. */
export async function askForKey(
  prompter: Prompter,
  output: Output,
  question: string,
  check: CheckSetting,
): Promise<string> {
  const key = await prompter.askHidden(question, (typed) =>
    /\s/.test(typed) ? 'A key has no blanks in it; paste the key alone.' : check(typed),
  );
  if (key !== '') {
    const end = key.length < LONG_KEY ? '' : `, which end in ${terminalSafe(key.slice(-4))}`;
    output.say(`Got ${key.length} characters${end}.`);
  }
  return key;
}

const OTHER = '';

/** A model of those that the server has, or any other. */
export async function askForModel(
  prompter: Prompter,
  { models, failure, isUnreachable }: ServerAnswer,
  output: Output,
  check: CheckSetting,
): Promise<string> {
  if (failure !== undefined && isUnreachable !== true)
    output.say(`The server does not list its models: ${terminalSafe(failure)}.`);
  const choices = models.map((model) => ({ value: model.name, label: describeServed(model) }));
  const chosen =
    choices.length === 0
      ? OTHER
      : await prompter.choose('Which model?', [...choices, { value: OTHER, label: 'another one, by its name' }]);
  return chosen === OTHER ? prompter.ask('Name of the model, as the server knows it', { check }) : chosen;
}

function describeServed({ name, contextWindow, isLoaded, callsTools }: ServedModel): string {
  const facts = [
    ...(contextWindow === undefined ? [] : [`${contextWindow.toLocaleString('en-US')} tokens`]),
    ...(isLoaded === true ? ['loaded'] : []),
    ...(callsTools === false ? ['calls no tools, which Claude Code needs'] : []),
  ];
  return terminalSafe(facts.length === 0 ? name : `${name}  (${facts.join(', ')})`);
}

/** What a server is taken for that does not say its window. */
const USUAL_WINDOW = '64000';

/** The context window in tokens, which the server does not say. */
export async function askForWindow(prompter: Prompter, model: ServedModel, check: CheckSetting): Promise<string> {
  const most = model.mostContext === undefined ? '' : `, at most ${model.mostContext.toLocaleString('en-US')}`;
  const answer = await prompter.ask(
    `Context window in tokens, as the server was started with${most} (Enter for ${USUAL_WINDOW})`,
    { fallback: USUAL_WINDOW, example: USUAL_WINDOW, check: (typed) => check(parseTokens(typed)) },
  );
  return parseTokens(answer);
}

/** `64k` and `64,000` as 64000; what is no number stays as it is. */
export function parseTokens(typed: string): string {
  const plain = typed.replaceAll(/[,_]/g, '').toLowerCase();
  return /^\d{1,6}k$/.test(plain) ? `${plain.slice(0, -1)}000` : plain;
}
