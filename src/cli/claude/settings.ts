import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clientEnvironment, contradictoryVariables, keepsLogin, modelRows } from '../../config/clientEnvironment.ts';
import { type Config, reachableHost } from '../../config/config.ts';
import { withThisMachine } from '../../config/env/variables.ts';
import { needsNoKey } from '../../config/secrets.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import { quotePosix } from '../../core/text.ts';
import { foreignVendor } from '../../providers/index.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { isAlive } from '../supervisor/instances.ts';

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

/** What a client gives an instance that asks for no token: Claude Code wants any word. */
export const NO_TOKEN = 'unused';

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
    return { variables: { ANTHROPIC_AUTH_TOKEN: token ?? NO_TOKEN }, isMissing: false };
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

/** Of a run with a secret, by its process; of any other, by what is in it. */
const OF_PROCESS = /^claude-(?<pid>\d+)\.json$/;
const OF_CONTENT = /^claude-[\w.-]+-[0-9a-f]{12}\.json$/;
/** In ms: as long as a user may still come back to a session. */
const KEPT_MS = 30 * 86_400_000;

export interface RunSettings {
  readonly instance: string;
  readonly settings: object;
  /** Whether a key or a token may be in them, so that they may not stay. */
  readonly hasSecret: boolean;
}

/**
 * Writes the settings for one run of Claude Code, for the user's eyes only, and does the work with the path of that file. One
 * with a secret is gone afterwards. Others stay, as Claude Code's own words at the end of a session name the file; equal
 * settings are one file.
 */
export async function withSettingsFile<T>(
  root: string,
  { instance, settings, hasSecret }: RunSettings,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const directory = join(root, 'state', 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  removeStaleFiles(directory);
  const text = `${JSON.stringify(settings, undefined, 2)}\n`;
  const content = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const path = join(directory, `claude-${hasSecret ? process.pid : `${instance}-${content}`}.json`);
  // Another run may be reading the file of the same name, so that it is replaced in one step.
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
  try {
    return await work(path);
  } finally {
    if (hasSecret) rmSync(path, { force: true });
  }
}

/** Removes what processes have left that were killed, and what nobody has used for long. */
function removeStaleFiles(directory: string): void {
  for (const file of readdirSync(directory)) {
    const path = join(directory, file);
    const pid = OF_PROCESS.exec(file)?.groups?.['pid'];
    const isOld = OF_CONTENT.test(file) && Date.now() - statSync(path).mtimeMs > KEPT_MS;
    if (isOld || (pid !== undefined && !isAlive(Number(pid)))) rmSync(path, { force: true });
  }
}
