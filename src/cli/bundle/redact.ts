import { readFileSync, realpathSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, relative } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { createRedactor, Secret } from '../../core/secret.ts';
import { envFile, type Instance } from '../supervisor/instances.ts';

/** A shorter name is part of too many words. */
const LEAST_LENGTH = 3;

const COMMON_NAMES = new Set(['root', 'localhost']);

type Environment = Readonly<Record<string, string | undefined>>;

/** What is taken out, with what stands in its place; the longest first, as one may be part of another. */
function createReplacer(pairs: readonly (readonly [text: string | undefined, stand: string])[]) {
  const known = new Map(pairs.flatMap(([text = '', stand]) => (text.length < LEAST_LENGTH ? [] : [[text, stand]])));
  const sorted = [...known].sort(([one], [other]) => other.length - one.length);
  return (text: string) => sorted.reduce((clean, [word, stand]) => clean.replaceAll(word, stand), text);
}

const A_PATH = '(a path)';

/** Paths of the user's that are known, also with blanks in them, where their end cannot be seen. */
function knownPaths(root: string, environment: Environment, instances: readonly Instance[]): readonly string[] {
  const ofInstances = instances.flatMap(({ app, config }) => {
    if (config === undefined) return [app.args[1]];
    const { file, files, logs, stateDirectory, hooks, authorities, modelsFile, providersFile, pricesFile } = config;
    const written = [hooks?.file, authorities.file, modelsFile, providersFile, pricesFile];
    return [
      file,
      ...files,
      logs.directory,
      stateDirectory,
      ...written.filter((path) => path?.startsWith('envs/') !== true),
    ];
  });
  const ofShell = ['INIT_CWD', 'PWD', 'OLDPWD', 'PM2_HOME', 'TMPDIR'].map((name) => environment[name]);
  const outside = [...ofInstances, ...ofShell].filter((path) => path !== undefined && !path.startsWith(`${root}/`));
  return outside
    .flatMap((path = '') => [path, dirname(path)].flatMap((one) => [one, relative(root, one)]))
    .filter((path) => path.includes('/') && path !== '/');
}

/** A path behind quotes, as messages show what was found. */
const QUOTED_PATH = /"(?:~|\.{1,2})?\/[^"\n]*"/g;
/** A path that begins a word: absolute, in the home directory, or outside the project. Those of the system and of our own routes stay. */
const PATH =
  /(?<![\w/:.~)])(?:(?:~|\.\.)\/|file:\/\/\/|\/(?!(?:usr|bin|sbin|lib|dev|proc|etc|System|Library|v1|health|metrics)(?![\w-])))[^\s"'`,;:()<>]+/g;
/** What lies in a folder that was taken out. */
const REST_OF_PATH = /\(a path\)\/[^\s"'`,;:()<>]*/g;
/** The end of a key, as it is shown elsewhere. */
const KEY_TAIL = /\*{4}(?!@)[^\s*,;:)\]}"']{1,4}/g;

/**
 * Takes out of a report what is nobody else's business: secrets, with the ends of keys that are shown elsewhere, paths, and the names of
 * the user and of this machine.
 * @param words further texts to be taken out, as what providers said
 */
export function createReportRedactor(
  root: string,
  environment: Environment,
  instances: readonly Instance[],
  words: readonly string[],
): (text: string) => string {
  const secrets = instances.flatMap(secretsOf);
  const redactSecrets = createRedactor(secrets);
  const nameOfMachine = hostname();
  const names = [userInfo().username, environment['USER'], environment['LOGNAME']];
  const replace = createReplacer([
    ...words.map((word) => [word, '(words of a provider)'] as const),
    ...secrets.map(({ masked }) => [masked, '****'] as const),
    ...knownPaths(root, environment, instances).map((path) => [path, A_PATH] as const),
    [root, 'PROJECT'],
    [realpathSync(root), 'PROJECT'],
    ...[homedir(), environment['HOME']].map((home) => [home === '/' ? undefined : home, '~'] as const),
  ]);
  const replaceNames = createReplacer(
    [
      ...names.map((name) => [name, 'USER'] as const),
      [nameOfMachine, 'HOST'] as const,
      [nameOfMachine.split('.', 1)[0], 'HOST'] as const,
    ].filter(([name = '']) => !COMMON_NAMES.has(name)),
  );
  return (text) =>
    replaceNames(
      replace(redactSecrets(text).replaceAll(QUOTED_PATH, `"${A_PATH}"`))
        .replaceAll(REST_OF_PATH, A_PATH)
        .replaceAll(PATH, A_PATH)
        .replaceAll(KEY_TAIL, '****'),
    );
}

/** The same object with each text in it, keys included, put through a function. */
export function mapTexts(value: JsonObject, change: (text: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner = null]) => [change(key), mapValue(inner, change)]));
}

function mapValue(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapValue(item, change));
  return isObject(value) ? mapTexts(value, change) : value;
}

const SECRET_LINE = /^\s*(?:export\s+)?[\w-]*(?:KEY|TOKEN|SECRET|PASSWORD|AUTH|HEADER)[\w-]*\s*[=:]\s*(?<value>.+)$/gim;

/** Everything of an instance that must stay secret; of a file that is wrong, the values of all lines that may hold such. */
export function secretsOf(instance: Instance): readonly Secret[] {
  if (instance.config !== undefined) return instance.config.secrets;
  try {
    const lines = readFileSync(envFile(instance), 'utf8').matchAll(SECRET_LINE);
    return [...lines].flatMap(({ groups }) => {
      const written = (groups?.['value'] ?? '').trim();
      return [written, written.replace(/^(["'`])(.*)\1.*$/, '$2'), written.replace(/\s+#.*$/, '')].map(
        (value) => new Secret(value),
      );
    });
  } catch {
    return [];
  }
}
