import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { clientBaseUrl } from '../../../../src/config/clientEnvironment.ts';
import { asString, isObject, type JsonObject, parseObject } from '../../../../src/core/json.ts';
import type { Instance } from '../../instances.ts';
import { type Finding, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'Claude Code';
const RUN = './manage run NAME goes before all settings but managed ones';

/** Variables that lead Claude Code to another address, model or credential. */
export const LEADING =
  /^(?:ANTHROPIC_(?:BASE_URL|API_KEY|AUTH_TOKEN|CUSTOM_HEADERS|MODEL|DEFAULT_\w*MODEL|SMALL_FAST_MODEL|UNIX_SOCKET)|CLAUDE_CODE_(?:USE_\w+|API_BASE_URL|SUBAGENT_MODEL))$/;

/** Settings files in which an `env` block goes before the shell's variables (anthropics/claude-code issue 8500). */
function settingsFiles({ environment, directory }: Subject): { readonly file: string; readonly isManaged: boolean }[] {
  const home = environment['HOME'] ?? homedir();
  const own = environment['CLAUDE_CONFIG_DIR'] || join(home, '.claude');
  const managed = process.platform === 'darwin' ? '/Library/Application Support/ClaudeCode' : '/etc/claude-code';
  const files = [
    join(own, 'settings.json'),
    join(directory, '.claude', 'settings.json'),
    join(directory, '.claude', 'settings.local.json'),
  ];
  return [
    { file: join(managed, 'managed-settings.json'), isManaged: true },
    ...[...new Set(files)].map((file) => ({ file, isManaged: false })),
  ];
}

/** Whether settings of Claude Code lead it elsewhere than a line with ANTHROPIC_BASE_URL before `claude` would. */
export function checkClaudeSettings(subject: Subject): Finding[] {
  const findings = settingsFiles(subject)
    .filter(({ file }) => existsSync(file))
    .flatMap(({ file, isManaged }) => checkFile(file, isManaged, subject.all));
  return findings.length > 0 ? findings : [ok(CHECK, 'its settings leave address, key and model to the shell')];
}

function checkFile(file: string, isManaged: boolean, all: readonly Instance[]): Finding[] {
  const settings = parseObject(readFileSync(file, 'utf8'));
  if (settings === undefined)
    return [warn(CHECK, `${file} is not JSON, so that all of it is passed over`, { remedy: `mend ${file}` })];
  const { env } = settings;
  const names = leadingNames(isObject(env) ? env : {});
  if (asString(settings['apiKeyHelper'])) names.push('apiKeyHelper');
  if (names.length === 0) return [];
  const target = isObject(env) ? instanceAt(asString(env['ANTHROPIC_BASE_URL']), all) : undefined;
  if (target !== undefined) return [ok(CHECK, `${file} leads it to ${target}`)];
  const remedy = isManaged
    ? `ask who manages this machine to remove it from ${file}`
    : `remove it from ${file}; ${RUN}`;
  return [warn(CHECK, `${file} sets ${names.join(', ')}, before the shell’s`, { remedy })];
}

/** The names that lead elsewhere and are set to something. */
export function leadingNames(variables: Readonly<JsonObject>): string[] {
  return Object.keys(variables).filter(
    (name) => LEADING.test(name) && variables[name] !== '' && variables[name] !== undefined,
  );
}

/** The instance that answers at an address. */
export function instanceAt(url: string | undefined, all: readonly Instance[]): string | undefined {
  const address = url?.replace('//localhost:', '//127.0.0.1:').replace(/\/+$/, '');
  return all.find(({ config }) => config !== undefined && clientBaseUrl(config) === address)?.name;
}
