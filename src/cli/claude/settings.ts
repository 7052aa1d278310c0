import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clientEnvironment, contradictoryVariables, keepsLogin, modelRows } from '../../config/clientEnvironment.ts';
import type { Config } from '../../config/config.ts';
import { withThisMachine } from '../../config/env/variables.ts';
import { reachableHost } from '../../config/identity.ts';
import { needsNoKey } from '../../config/secrets.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import { foreignVendor } from '../../providers/index.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isAlive } from '../supervisor/instances.ts';
import { quotePosix } from './shells.ts';

/** Settings of Claude Code, in the form of its settings files. */
export interface ClientSettings {
  readonly env: Readonly<Record<string, string>>;
  readonly statusLine: { readonly type: 'command'; readonly command: string; readonly refreshInterval: number };
  /** Empty switches a helper of the user's off, whose key the client would show beside the token. */
  readonly apiKeyHelper?: '';
}

/** In seconds. Figures reach the usage file a moment after the answer, so that the last of them needs a second look. */
const REFRESH_SECONDS = 5;

/**
 * The settings with which Claude Code works through an instance and nothing else, whatever the user's own say: what goes
 * against them is set to nothing.
 * @param environment The user's shell, which may hold the provider's key and exceptions for a network proxy.
 */
export function clientSettings(
  root: string,
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): ClientSettings {
  const { variables, isMissing } = chooseCredentials(config, environment);
  // The user gives the token elsewhere.
  const contradictory = contradictoryVariables(config).filter((name) => !isMissing || name !== 'ANTHROPIC_AUTH_TOKEN');
  return {
    env: {
      ...Object.fromEntries(contradictory.map((name) => [name, ''])),
      ...clientEnvironment(config),
      ...variables,
      ...withoutNetworkProxy(environment),
    },
    ...(keepsLogin(config) ? {} : { apiKeyHelper: '' }),
    statusLine: { type: 'command', command: statusLineCommand(root, config), refreshInterval: REFRESH_SECONDS },
  };
}

/**
 * The shell's exceptions and this machine: the client asks a network proxy for 127.0.0.1 too. Where the shell has two lists each
 * stays what it is, as programs differ in which they read.
 */
function withoutNetworkProxy(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const { NO_PROXY, no_proxy } = environment;
  return {
    NO_PROXY: withThisMachine(NO_PROXY || no_proxy || ''),
    no_proxy: withThisMachine(no_proxy || NO_PROXY || ''),
  };
}

/**
 * The shell command that prints the status line of an instance. It holds all that is needed, so that nothing but the usage
 * file has to be read: Claude Code runs it after every answer.
 */
export function statusLineCommand(root: string, { instance, host, port, stateDirectory }: Config): string {
  const words = [
    process.execPath,
    join(root, 'scripts', 'statusline.cjs'),
    instance,
    reachableHost(host),
    String(port),
    usageFilePath(stateDirectory, instance),
  ];
  return words.map(quotePosix).join(' ');
}

/** How the client proves who it is. */
export interface Credentials {
  readonly variables: Readonly<Record<string, string>>;
  /** The instance passes the client's key on to the provider, and there is none. */
  readonly isMissing: boolean;
  /** Whose key the shell holds, where it begins like that of another vendor than the provider: it is not handed on. */
  readonly foreignVendor?: string | undefined;
}

/**
 * The variables with the client's credentials for an instance: the instance's token, and where it has no key of the provider,
 * the one that the user's shell holds. A key for Anthropic is never handed to another provider.
 */
export function chooseCredentials(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Credentials {
  const token = config.clientToken?.reveal();
  if (config.provider.key.source !== 'client') {
    return { variables: { ANTHROPIC_AUTH_TOKEN: token ?? 'unused' }, isMissing: false };
  }
  const key = environment['ANTHROPIC_AUTH_TOKEN'];
  const { preset, baseUrl } = config.provider;
  const vendor = needsNoKey(preset, baseUrl) ? undefined : foreignVendor(key ?? '', preset, baseUrl);
  const hasKey = key !== undefined && key !== '' && vendor === undefined;
  return {
    variables: {
      ...(hasKey ? { ANTHROPIC_AUTH_TOKEN: key } : {}),
      // The bearer token is the provider's key, so that the instance's own token takes the other header.
      ...(token === undefined ? {} : { ANTHROPIC_CUSTOM_HEADERS: `x-api-key: ${token}` }),
    },
    isMissing: !hasKey && !keepsLogin(config),
    foreignVendor: vendor,
  };
}

/** The user's words for claude, and the settings that they bring. */
export interface ClaudeArguments {
  readonly words: readonly string[];
  readonly settings: JsonObject;
}

const OPTION = '--settings';

/**
 * Takes `--settings` out of the words for claude: the client heeds only the last, so that two have to become one.
 * @throws Failure (usage) when it is neither JSON nor a file with JSON.
 */
export function extractUserSettings(words: readonly string[], directory: string): ClaudeArguments {
  const index = words.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  const word = words[index];
  if (word === undefined) return { words, settings: {} };
  const isJoined = word !== OPTION;
  const given = isJoined ? word.slice(OPTION.length + 1) : words[index + 1];
  const rest = extractUserSettings([...words.slice(0, index), ...words.slice(index + (isJoined ? 1 : 2))], directory);
  return { words: rest.words, settings: { ...readSettings(given ?? '', directory), ...rest.settings } };
}

function readSettings(given: string, directory: string): JsonObject {
  const isText = given.trimStart().startsWith('{');
  const what = isText ? 'its text' : given;
  try {
    const settings: unknown = JSON.parse(isText ? given : readFileSync(resolve(directory, given), 'utf8'));
    if (isObject(settings)) return settings;
  } catch (error) {
    throw new Failure(`${OPTION}: ${what} cannot be read: ${(error as Error).message}`, exitCodes.usage);
  }
  throw new Failure(`${OPTION}: ${what} is not a JSON object`, exitCodes.usage);
}

/**
 * What `/model` lists in a run: the models of the instance, each once. The client heeds it in no file of a project.
 * @returns nothing where the client has its own models
 */
export function modelMenu(config: Config): JsonObject {
  const options = modelRows(config).map((row) => ({ ...row }));
  return options.length === 0 ? {} : { modelPicker: { replaceBuiltInOptions: true, options } };
}

/** The user's settings for this run with the instance's over them; a status line of the user's stays. */
export function mergeSettings(own: JsonObject, settings: ClientSettings): JsonObject {
  const env = isObject(own['env']) ? own['env'] : {};
  return {
    ...settings,
    ...own,
    ...(settings.apiKeyHelper === undefined ? {} : { apiKeyHelper: settings.apiKeyHelper }),
    env: { ...env, ...settings.env },
  };
}

const NAME = /^claude-(?<pid>\d+)\.json$/;

/**
 * Writes the settings for one run of Claude Code, for the user's eyes only as they may hold a token, and does the work with
 * the path of that file, which is gone afterwards.
 */
export async function withSettingsFile<T>(
  root: string,
  settings: object,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const directory = join(root, 'state', 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  removeStaleFiles(directory);
  const path = join(directory, `claude-${process.pid}.json`);
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    return await work(path);
  } finally {
    rmSync(path, { force: true });
  }
}

/** Removes what processes have left that were killed. */
function removeStaleFiles(directory: string): void {
  for (const file of readdirSync(directory)) {
    const pid = Number(NAME.exec(file)?.groups?.['pid'] ?? process.pid);
    if (!isAlive(pid)) rmSync(join(directory, file), { force: true });
  }
}
