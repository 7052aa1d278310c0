import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { pickableModels } from '../../config/clientEnvironment.ts';
import type { Config } from '../../config/config.ts';
import { asString, parseObject } from '../../core/json.ts';
import { withoutContextSuffix } from '../../core/models.ts';
import type { Context } from '../command.ts';
import { formatSettings, withValue, writeProjectFile } from './projectSettings.ts';

/** Where Claude Code keeps what the user has chosen for all projects. */
export function userSettingsFile(environment: Context['environment']): string {
  return join(environment['CLAUDE_CONFIG_DIR'] || join(environment['HOME'] || homedir(), '.claude'), 'settings.json');
}

/** Its text; undefined when there is none that can be read. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const modelIn = (text: string | undefined): string | undefined => asString(parseObject(text ?? '')?.['model']);

/**
 * Whether a model is one that only instances know, so that a session without them cannot use it: a name of the model list, or one
 * of the names.
 */
export function isOnlyOfInstances(model: string, names: readonly string[]): boolean {
  const name = withoutContextSuffix(model);
  return (name.startsWith('claude-') && name.includes('--')) || names.includes(name);
}

/**
 * Takes the model out of the user's settings, or puts another there; all else stays as it is.
 * @param original The text from before; undefined when there was no file.
 */
export function writeUserModel(file: string, model: string | undefined, original?: string): void {
  const text = readText(file);
  const settings = parseObject(text ?? '');
  if (text === undefined || settings === undefined) return;
  const wanted = withValue(settings, { key: 'model' }, model);
  const isOriginal = original !== undefined && isDeepStrictEqual(wanted, parseObject(original));
  writeProjectFile(file, isOriginal ? original : formatSettings(wanted, text));
}

/**
 * Does the work, a session of Claude Code, and puts the user's model back where it was changed meanwhile to one of the instance's:
 * what is picked in `/model` becomes the client's default for all sessions, also for those without an instance.
 */
export async function withUserModel<T>(
  { output, environment }: Context,
  config: Config,
  work: () => Promise<T>,
): Promise<T> {
  const names = pickableModels(config);
  const file = userSettingsFile(environment);
  const original = readText(file);
  const found = modelIn(original);
  // Of a session that was killed, say.
  const before = found !== undefined && isOnlyOfInstances(found, []) ? undefined : found;
  try {
    return await work();
  } finally {
    const now = modelIn(readText(file));
    if (now !== undefined && now !== before && isOnlyOfInstances(now, names)) {
      writeUserModel(file, before, original);
      output.say(`/model held for this session; your own default is again ${before ?? 'Claude Code’s'}`);
    }
  }
}
