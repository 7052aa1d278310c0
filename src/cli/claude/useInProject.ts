import { spawnSync } from 'node:child_process';
import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { clientBaseUrl } from '../../config/config.ts';
import type { JsonObject } from '../../core/json.ts';
import { type Context, callerDirectory, type Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { loadInstance } from '../supervisor/start.ts';
import {
  describeDifference,
  formatSettings,
  type ProjectRecord,
  parseSettings,
  projectFile,
  readProjectFile,
  readRecord,
  removeRecord,
  restoreText,
  settingPaths,
  valueAt,
  withValue,
  writeProjectFile,
  writeRecord,
} from './projectSettings.ts';
import { chooseCredentials, clientSettings } from './settings.ts';

/** Writes an instance into the settings of the project where the user is, after showing what changes there. */
export async function useInProject(
  context: Context,
  invocation: Invocation<'yes' | 'dryRun' | 'verbose' | 'input'>,
): Promise<ExitCode> {
  const { root, output, environment } = context;
  const [name = ''] = invocation.names;
  const directory = callerDirectory(environment);
  if (resolve(directory) === resolve(environment['HOME'] || homedir())) {
    throw new Failure('this is your home directory, whose settings are for every project; go to one first');
  }
  const { config } = loadInstance(context, name);
  const file = projectFile(directory);
  const present = readProjectFile(file);
  const record = readRecord(root, file);
  const original = record === undefined ? present : restoreText(record, present);
  const before = parseSettings(file, original);

  // Neither keys nor the name of a proxy leave the shell for a file; its exceptions do.
  const { no_proxy, NO_PROXY } = environment;
  const settings = withoutOwnStatusLine({ ...clientSettings(root, config, { no_proxy, NO_PROXY }) }, before);
  const places = settingPaths(settings);
  const fill = (target: JsonObject) =>
    places.reduce((all, place) => withValue(all, place, valueAt(settings, place)), target);
  const text = formatSettings(fill(before), original ?? '');
  if (text === present) {
    output.say(`${file} says so already`);
    return exitCodes.ok;
  }
  const now = parseSettings(file, present);
  const difference = describeDifference(now, fill(before), places);
  const replaced = describeDifference(
    now,
    fill(before),
    places.filter((place) => valueAt(now, place) !== undefined),
  );
  const models = [...new Set(Object.values(config.tiers))].join(', ');
  const summary = [
    `+ claude uses ${name} on ${clientBaseUrl(config)}: ${models}`,
    ...replaced,
    `+ ${places.length} values for it; to see them all: --verbose`,
  ];
  output.print([file, ...(invocation.verbose ? difference : summary)].join('\n'));
  if (invocation.dryRun || !(await isWanted(context, invocation))) return exitCodes.ok;

  const madeFolder = record?.madeFolder ?? !existsSync(dirname(file));
  writeRecord(root, { file, instance: name, original: original ?? null, written: text, settings, madeFolder });
  writeProjectFile(file, text);
  output.say(`claude in ${directory} now uses ${name}; to put it back: ./manage unuse`);
  if (config.clientToken !== undefined) output.say('The file holds the token of the instance: keep it out of git.');
  if (isIgnoredByGit(file) === false) {
    const name = relative(directory, file);
    output.complain(
      `git does not ignore ${name}, which is for you alone; to change that: echo '${name}' >> .gitignore`,
    );
  }
  if (chooseCredentials(config, {}).isMissing) {
    output.say(`envs/${name}.env holds no key: set ANTHROPIC_AUTH_TOKEN in your shell to yours`);
  }
  return exitCodes.ok;
}

/** Undefined where there is no repository, or no git. */
function isIgnoredByGit(file: string): boolean | undefined {
  const { status } = spawnSync('git', ['check-ignore', '--quiet', file], { cwd: dirname(file), stdio: 'ignore' });
  return status === 0 ? true : status === 1 ? false : undefined;
}

/** A status line that the project has already stays. */
function withoutOwnStatusLine(settings: JsonObject, before: JsonObject): JsonObject {
  const { statusLine, ...others } = settings;
  return before['statusLine'] === undefined ? settings : others;
}

async function isWanted({ prompter }: Context, { yes, input }: Invocation<'yes' | 'input'>): Promise<boolean> {
  if (yes) return true;
  if (prompter === undefined || !input) {
    throw new Failure('there is no terminal to ask on; add --yes to go on without a question', exitCodes.usage);
  }
  return prompter.confirm('Write this?');
}

/** Puts the project's settings back to what they were before `use`; what others have changed since stays. */
export async function restoreProject(
  { root, output, environment }: Context,
  { dryRun }: Invocation<'dryRun'>,
): Promise<ExitCode> {
  const file = projectFile(callerDirectory(environment));
  const record = readRecord(root, file);
  if (record === undefined) {
    output.say(`"./manage use" has written nothing into ${file}`);
    return exitCodes.ok;
  }
  const present = readProjectFile(file);
  const text = restoreText(record, present);
  if (dryRun) {
    const places = settingPaths(record.settings);
    const lines = describeDifference(parseSettings(file, present), parseSettings(file, text), places);
    output.print([file, ...lines].join('\n'));
    return exitCodes.ok;
  }
  if (text === undefined) removeFile(record);
  else if (text !== present) writeProjectFile(file, text);
  removeRecord(root, file);
  output.say(text === undefined ? `${file} is gone, as before` : `${file} is without ${record.instance} again`);
  return exitCodes.ok;
}

function removeFile({ file, madeFolder }: ProjectRecord): void {
  rmSync(file, { force: true });
  if (!madeFolder) return;
  try {
    rmdirSync(dirname(file));
  } catch {
    // Somebody has put something else there.
  }
}
