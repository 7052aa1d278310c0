import { readFileSync, realpathSync, statSync } from 'node:fs';
import { formatProblems } from '../../config/diagnostics.ts';
import { hasTypographicQuotes, splitAssignments } from '../../config/env/parse.ts';
import { settingRow } from '../../config/env/settings.ts';
import { isFamilyName, providerKeyNames, settingOfName } from '../../config/env/variables.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { inspect } from '../supervisor/inspect.ts';
import { envFile, type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { reloadReason, rollingReload } from '../supervisor/reload.ts';
import { deriveState, diagnoseReload, isUp } from '../supervisor/state.ts';
import { readSecretFromStdin } from '../terminal/prompt.ts';
import { checkDraft } from './editInstance.ts';
import { envLine, envPath, replaceFile } from './envFiles.ts';

/** What is set to what; an empty value empties the setting. */
type Assignment = readonly [name: string, value: string];

const NAME = /^[A-Za-z_][\w.-]*$/;

/** `./manage set NAME KEY=VALUE...`: changes lines of an env file. */
export async function setValues(context: Context, invocation: Invocation): Promise<ExitCode> {
  const [name = '', ...words] = invocation.names;
  const example = './manage set NAME BIG_MODEL=MODEL';
  if (words.length === 0) throw new Failure(`there is nothing to set; as in: ${example}`, exitCodes.usage);
  const assignments = words.map((word, index): Assignment => {
    const [key = '', ...rest] = word.split('=');
    // The word itself is not shown, as it may be a key.
    if (rest.length === 0 || !NAME.test(key))
      throw new Failure(`word ${index + 1} behind ${name} is not KEY=VALUE; as in: ${example}`, exitCodes.usage);
    return [key, rest.join('=').trim()];
  });
  for (const [key, value] of assignments) {
    if (hasTypographicQuotes(value))
      throw new Failure(`${key}: the value is in typographic quotes; write plain ones (") or none`, exitCodes.usage);
    if (value === '' || !isSecretName(key)) continue;
    const why = `nothing was set: ${key} is a secret, which other users could read in the list of processes`;
    const isProviderKey = key === 'OPENAI_API_KEY' || providerKeyNames.includes(key);
    const typed = `./manage key ${name}${isProviderKey ? '' : ` ${key}`}`;
    throw new Failure(
      `${why}; type it unseen: ${typed}, or give it by a pipe: ... | ./manage key ${name} ${key} --stdin`,
      exitCodes.usage,
    );
  }
  return changeEnvFile(context, invocation, name, assignments);
}

/** `./manage key NAME [VARIABLE]`: writes the provider's key, or another secret, which comes from stdin or is typed unseen. */
export async function setKey(context: Context, invocation: Invocation<'stdin'>): Promise<ExitCode> {
  const [name = '', variable] = invocation.names;
  if (variable !== undefined && !NAME.test(variable))
    throw new Failure(
      'the second word has to be the name of a variable, as in: ./manage key NAME ANTHROPIC_API_KEY --stdin',
      exitCodes.usage,
    );
  const instance = findInstance(context, name);
  if (variable === undefined && instance.config?.provider.preset.protocol === 'demo')
    throw new Failure(
      `${name} needs no key, as its provider is built in; for the token of its clients: ./manage key ${name} ANTHROPIC_API_KEY`,
      exitCodes.usage,
    );
  const { prompter } = context;
  if (!invocation.stdin && prompter === undefined)
    throw new Failure(
      `there is no terminal to ask for the key on; give it by: ./manage key ${name} --stdin < FILE`,
      exitCodes.usage,
    );
  const target = variable ?? keyVariable(instance);
  const value = invocation.stdin
    ? await readSecretFromStdin(process.stdin, '--stdin')
    : await prompter?.askHidden(`${target} of ${name}; it is not shown, Enter for none: `);
  return changeEnvFile(context, invocation, name, [[target, value ?? '']]);
}

function isSecretName(name: string): boolean {
  const setting = settingOfName.get(name);
  return setting !== undefined && settingRow(setting).secret === true && !name.endsWith('_FILE');
}

/** @throws Failure (usage) where there is none of this name. */
export function findInstance({ root }: Context, name: string): Instance {
  if (name === 'all') throw new Failure('this takes one instance at a time', exitCodes.usage);
  const [instance] = selectInstances(root, loadInstances(root), [name]);
  if (instance === undefined) throw new Failure(`there is no instance "${name}"`, exitCodes.usage);
  return instance;
}

/** The variable that holds the provider's key, or that is the first to look for it. */
function keyVariable(instance: Instance): string {
  const provider = instance.config?.provider;
  const { source, variable = '' } = provider?.key ?? {};
  if (source === 'secret file')
    throw new Failure(
      `the key of ${instance.name} is in the file that ${variable} names; write it there`,
      exitCodes.usage,
    );
  if (source === 'file') return variable;
  const names = [...(provider?.preset.keyNames ?? providerKeyNames), 'OPENAI_API_KEY'];
  const lines = readFileSync(envFile(instance), 'utf8').split(LINE_END);
  const present = new Set([...splitAssignments(lines)].map((one) => one.name));
  return names.find((one) => present.has(one)) ?? names[0] ?? '';
}

/** Writes an env file with other values, if an instance could start with it, and says what a running one has made of it. */
function changeEnvFile(
  context: Context,
  invocation: Invocation,
  name: string,
  assignments: readonly Assignment[],
): Promise<ExitCode> {
  const { root, output } = context;
  // The names alone, as the words behind them are values.
  return withManagerLock(context, { ...invocation, names: [name] }, async () => {
    const instance = findInstance(context, name);
    const file = realpathSync(envFile(instance));
    const before = readFileSync(file, 'utf8');
    const text = assignments.reduce((changed, [key, value]) => withAssignment(changed, key, value), before);
    const keys = assignments.map(([key]) => key);
    const problems = checkDraft(root, loadInstances(root), name, text);
    const unchanged = `${envPath(name)} is left as it was`;
    const unknown = keys.find((key) => !isKnownName(key) && problems.some((problem) => problem.key === key));
    if (unknown !== undefined || problems.some(({ severity }) => severity === 'error')) {
      const reasons = problems.filter(({ severity, key }) => severity === 'error' || key === unknown);
      output.complain(formatProblems(reasons.map((reason) => ({ ...reason, severity: 'error' }))));
      throw new Failure(
        `nothing was written; ${unchanged}`,
        unknown === undefined ? exitCodes.configuration : exitCodes.usage,
      );
    }
    const warnings = problems.filter(({ key }) => keys.includes(key));
    if (warnings.length > 0) output.complain(formatProblems(warnings));
    if (text === before) {
      output.say(`${unchanged}, as it says so already.`);
      return exitCodes.ok;
    }
    replaceFile(file, text, statSync(file).mode & PERMISSIONS);
    output.say(`Set ${keys.join(', ')} in ${envPath(name)}.`);
    return reportOutcome(context, name);
  });
}

const PERMISSIONS = 0o777;

function isKnownName(name: string): boolean {
  return settingOfName.has(name) || isFamilyName(name);
}

/** Says what came of a change that was just written. */
export async function reportOutcome(context: Context, name: string): Promise<ExitCode> {
  const { output, pm2 } = context;
  const look = async () => (await inspect(await pm2.list(), [findInstance(context, name)]))[0];
  const now = await look();
  if (now === undefined || !isUp(deriveState(now))) {
    output.say(`${name} does not run; it takes it at its start: ./manage start ${name}`);
    return exitCodes.ok;
  }
  const reason = await reloadReason(now, undefined);
  if (reason === undefined) {
    output.say(`${name} uses it now.`);
    return exitCodes.ok;
  }
  const after = await look();
  const health = after?.answer?.kind === 'instance' ? after.answer.health : undefined;
  const [refusal] = health?.config_problems ?? [];
  const why = refusal
    ? `${refusal.key}: found ${refusal.found}. ${refusal.fix}`
    : `${(after && diagnoseReload(after)?.problem) ?? reason}; for the new ones: ./manage reload ${name}`;
  output.complain(`${name} runs with its settings from before: ${why}`);
  return health?.restart_needed?.length ? exitCodes.ok : exitCodes.notReady;
}

/** Waits until an instance that runs has the settings that were just written, and makes new processes where it has to. */
export async function applySettings(context: Context, invocation: Invocation, name: string): Promise<void> {
  const [now] = await inspect(await context.pm2.list(), [findInstance(context, name)]);
  if (now === undefined || !isUp(deriveState(now))) return;
  if ((await reloadReason(now, undefined)) === undefined) return;
  await withManagerLock(context, invocation, () => rollingReload(context, now));
}

/** With its group a split keeps the line ends. */
const LINE_END = /(\r\n|\r|\n)/;

/** The comment behind a value, with its `#`; empty where there is none. */
function commentBehind(written: string): string {
  const quote = /^\s*(['"`])/.exec(written)?.[1];
  if (quote === undefined) return /(?<=\s)#.*$/.exec(written)?.[0] ?? '';
  let end = written.indexOf(quote, written.indexOf(quote) + 1);
  while (end > 0 && written[end - 1] === '\\') end = written.indexOf(quote, end + 1);
  return end < 0 ? '' : written.slice(end + 1).trim();
}

/**
 * The text of an env file with another value for a name. All else stays as it is: order, comments, line ends. The line is the one that
 * gives the name its value, else one with another name for the same, else a comment with this name, as examples have them, else a new one
 * at the end.
 * @throws Failure for a value that no env file can hold
 */
export function withAssignment(text: string, name: string, value: string): string {
  // Each line is followed by its line end.
  const pieces = text.split(LINE_END);
  const lines = pieces.filter((_piece, index) => index % 2 === 0);
  const assignments = [...splitAssignments(lines)];
  const setting = isSecretName(name) ? undefined : settingOfName.get(name);
  const isSame = (other: string | undefined) => other !== undefined && settingOfName.get(other) === setting;
  const place =
    assignments.findLast((one) => one.name === name) ??
    (setting === undefined ? undefined : assignments.findLast((one) => isSame(one.name))) ??
    assignments.findLast(({ first }) => first.startsWith(`#${name}=`));
  const line = envLine(name, value);
  if (place === undefined) {
    const end = pieces[1] ?? '\n';
    const isEnded = text === '' || (lines.at(-1) ?? '') === '';
    return `${text}${isEnded ? '' : end}${line}${end}`;
  }
  const { index, count, first, name: assigned, written } = place;
  const begin = assigned === undefined ? '' : (/^\s*(?:export\s+)?/.exec(first)?.[0] ?? '');
  const comment =
    count > 1 ? '' : commentBehind(assigned === undefined ? first.slice(first.indexOf('=') + 1) : written);
  const column = first.length - comment.length - 1;
  const changed = comment === '' ? begin + line : `${(begin + line).padEnd(column)} ${comment}`;
  pieces.splice(2 * index, 2 * count - 1, changed);
  return pieces.join('');
}
