import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientBaseUrl } from '../../config/config.ts';
import { asString, isObject, type JsonObject, parseObject } from '../../core/json.ts';
import { findClaude } from '../claude/runClaude.ts';
import { isOnlyOfInstances, userSettingsFile, writeUserModel } from '../claude/userModel.ts';
import { Failure } from '../exitCodes.ts';
import type { Instance } from '../supervisor/instances.ts';
import { type CheckContext, type Finding, findingsOf } from './finding.ts';

const shellCheck = findingsOf('shell');
const BASE_URL = 'ANTHROPIC_BASE_URL';

/** Whether variables of this shell lead `claude` elsewhere, or contradict each other. */
export function checkShell({ environment, all }: CheckContext): Finding[] {
  const names = redirectingNames(environment);
  const target = instanceAt(environment[BASE_URL], all);
  const others = names.filter(
    (name) => name.startsWith('CLAUDE_CODE_USE_') || (name === BASE_URL && target === undefined),
  );
  const findings = [
    ...others.map((name) => shellCheck.warn(`${name} leads claude elsewhere`, { remedy: `unset ${name}` })),
    ...(names.includes('ANTHROPIC_API_KEY') && names.includes('ANTHROPIC_AUTH_TOKEN')
      ? [
          shellCheck.warn('both ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set, which claude warns of', {
            remedy: 'unset ANTHROPIC_API_KEY',
          }),
        ]
      : []),
    ...checkNetworkProxy(environment),
  ];
  if (findings.length > 0) return findings;
  return [
    shellCheck.ok(
      target === undefined
        ? 'no variable of this shell sends claude elsewhere'
        : `${BASE_URL} leads claude to ${target}`,
    ),
  ];
}

/** Claude Code asks a network proxy for addresses of this machine too, unless NO_PROXY excepts them. */
function checkNetworkProxy(environment: CheckContext['environment']): Finding[] {
  const name = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].find((candidate) => environment[candidate]);
  const exceptions = (environment['no_proxy'] || environment['NO_PROXY'] || '').split(/[\s,]+/);
  if (name === undefined || exceptions.some((host) => ['*', '127.0.0.1', '127.0.0.0/8'].includes(host))) return [];
  return [
    shellCheck.warn(
      `${name} is set and NO_PROXY does not except 127.0.0.1, so that claude does not reach the instances`,
      {
        remedy: 'export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}", or use ./manage run NAME',
      },
    ),
  ];
}

const clientCheck = findingsOf('claude');

/** Whether there is a Claude Code that `./manage run` can start. */
export function checkClient({ environment, directory }: CheckContext): Finding[] {
  try {
    return [clientCheck.ok(`is ${findClaude(environment, directory)}`)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [detail = '', remedy] = error.message.split('; ');
    return [clientCheck.warn(detail, remedy === undefined ? {} : { remedy })];
  }
}

const authorityCheck = findingsOf('authorities');

/** Variables of a shell that add certificate authorities to a program, and the line of an env file that does it for good. */
const AUTHORITY_LINES: Readonly<Record<string, (value: string) => string>> = {
  NODE_EXTRA_CA_CERTS: (file) => `CA_FILE=${file}`,
  NODE_USE_SYSTEM_CA: () => 'SYSTEM_CA=on',
};

/**
 * Whether an instance depends on the certificate authorities of a shell: of this one, which another shell and the boot do not know, or of
 * the one that has started it, which a restart from this one would lose.
 */
export function checkAuthorities({ environment, inspections }: CheckContext): Finding[] {
  return inspections.flatMap(({ instance: { name, config }, row }) => {
    if (config === undefined || config.authorities.file !== undefined || config.authorities.system) return [];
    if (config.providers.every(({ provider }) => !provider.baseUrl.startsWith('https:'))) return [];
    const set = (variable: string, value: string) => ({
      instance: name,
      remedy: `./manage set ${name} ${AUTHORITY_LINES[variable]?.(value)}`,
    });
    const here = Object.keys(AUTHORITY_LINES).find((variable) => environment[variable]);
    const before = row?.extraCaFile;
    if (before !== undefined && before !== environment['NODE_EXTRA_CA_CERTS']) {
      const detail =
        'runs with NODE_EXTRA_CA_CERTS of the shell that started it, which a restart from this one would lose';
      return [authorityCheck.warn(detail, set('NODE_EXTRA_CA_CERTS', before))];
    }
    const openssl = environment['SSL_CERT_FILE'];
    if (here === undefined && openssl !== undefined)
      return [
        authorityCheck.ok(`SSL_CERT_FILE counts with SYSTEM_CA=on only; CA_FILE=${openssl} lasts`, { instance: name }),
      ];
    if (here === undefined) return [];
    const detail = `${here} of this shell counts for what is started from it only, not from another one or at boot`;
    return [authorityCheck.warn(detail, set(here, environment[here] ?? ''))];
  });
}

const settingsCheck = findingsOf('Claude Code');
const RUN = './manage run NAME goes before all settings but managed ones';

/** Whether settings of Claude Code lead it elsewhere than a line with ANTHROPIC_BASE_URL before `claude` would. */
export function checkClaudeSettings(context: CheckContext): Finding[] {
  const findings = settingsFiles(context)
    .filter(({ file }) => existsSync(file))
    .flatMap(({ file, isManaged }) => checkSettingsFile(file, isManaged, context.all));
  return findings.length > 0 ? findings : [settingsCheck.ok('its settings leave address, key and model to the shell')];
}

/** Settings files in which an `env` block goes before the shell's variables (anthropics/claude-code issue 8500). */
function settingsFiles({
  environment,
  directory,
}: CheckContext): { readonly file: string; readonly isManaged: boolean }[] {
  const managed = process.platform === 'darwin' ? '/Library/Application Support/ClaudeCode' : '/etc/claude-code';
  const files = [
    userSettingsFile(environment),
    join(directory, '.claude', 'settings.json'),
    join(directory, '.claude', 'settings.local.json'),
  ];
  return [
    { file: join(managed, 'managed-settings.json'), isManaged: true },
    ...[...new Set(files)].map((file) => ({ file, isManaged: false })),
  ];
}

function checkSettingsFile(file: string, isManaged: boolean, all: readonly Instance[]): Finding[] {
  const settings = parseObject(readFileSync(file, 'utf8'));
  if (settings === undefined)
    return [settingsCheck.warn(`${file} is not JSON, so that all of it is passed over`, { remedy: `repair ${file}` })];
  const { env } = settings;
  const model = asString(settings['model']);
  const known = all.flatMap(({ config }) =>
    config === undefined || config.provider.preset.servesClaude ? [] : Object.values(config.tiers),
  );
  if (model !== undefined && isOnlyOfInstances(model, known)) {
    const detail = `${file} has the model ${JSON.stringify(model)} for every session, which only an instance knows`;
    if (isManaged)
      return [settingsCheck.warn(detail, { remedy: `ask who manages this machine to remove it from ${file}` })];
    const fix = { words: `take "model" out of ${file}`, run: () => writeUserModel(file, undefined) };
    return [
      settingsCheck.warn(detail, { remedy: `choose another with /model in claude, or: ./manage doctor --fix`, fix }),
    ];
  }
  const names = redirectingNames(isObject(env) ? env : {});
  if (asString(settings['apiKeyHelper'])) names.push('apiKeyHelper');
  if (names.length === 0) return [];
  const target = isObject(env) ? instanceAt(asString(env['ANTHROPIC_BASE_URL']), all) : undefined;
  if (target !== undefined) return [settingsCheck.ok(`${file} leads it to ${target}`)];
  const remedy = isManaged
    ? `ask who manages this machine to remove it from ${file}`
    : `remove it from ${file}; ${RUN}`;
  return [settingsCheck.warn(`${file} sets ${names.join(', ')}, before the shell’s`, { remedy })];
}

/** Variables that give Claude Code another address, model or credential. */
const REDIRECTING =
  /^(?:ANTHROPIC_(?:BASE_URL|API_KEY|AUTH_TOKEN|CUSTOM_HEADERS|MODEL|DEFAULT_\w*MODEL|SMALL_FAST_MODEL|UNIX_SOCKET)|CLAUDE_CODE_(?:USE_\w+|API_BASE_URL|SUBAGENT_MODEL))$/;

/** The names of such variables that are set to something. */
function redirectingNames(variables: Readonly<JsonObject>): string[] {
  return Object.keys(variables).filter(
    (name) => REDIRECTING.test(name) && variables[name] !== '' && variables[name] !== undefined,
  );
}

/** The instance that answers at an address. */
function instanceAt(url: string | undefined, all: readonly Instance[]): string | undefined {
  const address = url?.replace('//localhost:', '//127.0.0.1:').replace(/\/+$/, '');
  return all.find(({ config }) => config !== undefined && clientBaseUrl(config) === address)?.name;
}
