import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Config } from '../../config/config.ts';
import { clientBaseUrl } from '../../config/identity.ts';
import { asString, isObject, type JsonObject, parseObject } from '../../core/json.ts';
import { formatDuration } from '../../core/text.ts';
import { type BuildStamp, executablePath, hashSources, PLATFORM, readStamp } from '../buildStamp.ts';
import { type Instance, isAlive } from '../supervisor/instances.ts';
import { isOlderThan } from '../supervisor/reload.ts';
import { formatBytes } from '../terminal/output.ts';
import { type Finding, fail, ok, type Subject, warn } from './finding.ts';

const DISK_CHECK = 'disk';
/** Below this many free bytes, figures are lost before long. */
const TOO_LITTLE = 100e6;
/** Rotation and compression may go this far beyond the limit for a moment. */
const OVER_LIMIT = 1.5;

/** Whether there is room for what the instances write, and whether their logs keep to their limit. */
export function checkDisk({ root, all, observations }: Subject): Finding[] {
  const growth = new Map<number, { free: number; folder: string; more: number }>();
  const add = (folder: string, more: number) => {
    const place = existingAncestor(folder);
    const device = statSync(place).dev;
    const { bavail, bsize } = statfsSync(place);
    growth.set(device, { free: bavail * bsize, folder: place, more: (growth.get(device)?.more ?? 0) + more });
  };
  add(root, 0);
  for (const { config } of all) {
    if (config === undefined) continue;
    add(config.stateDirectory, 0);
    add(config.logs.directory, Math.max(0, config.logs.maxTotalBytes - logBytes(config)));
  }
  return [
    ...[...growth.values()].map(({ free, folder, more }) => judgeSpace(folder, free, more)),
    ...observations.flatMap(({ instance: { config } }) => (config === undefined ? [] : checkLogSize(config))),
  ];
}

/** Whether the free space of a file system is enough for logs that may still grow by `more` bytes. */
export function judgeSpace(folder: string, free: number, more: number): Finding {
  const detail = `${formatBytes(free)} free at ${folder}`;
  if (free < TOO_LITTLE)
    return fail(DISK_CHECK, detail, { remedy: 'make room: requests go on, logs and statistics do not' });
  if (free >= more + TOO_LITTLE) return ok(DISK_CHECK, detail);
  return warn(DISK_CHECK, `${detail}, where logs may still grow by ${formatBytes(more)}`, {
    remedy: 'make room, or lower LOG_MAX_TOTAL in the env files',
  });
}

function logBytes({ instance, logs }: Config): number {
  const folder = join(logs.directory, instance);
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function checkLogSize(config: Config): Finding[] {
  const { instance, logs } = config;
  const size = logBytes(config);
  if (size <= logs.maxTotalBytes * OVER_LIMIT) return [];
  return [
    warn(
      DISK_CHECK,
      `its logs take ${formatBytes(size)}, more than the ${formatBytes(logs.maxTotalBytes)} of its env file`,
      {
        instance,
        remedy: `look into ${join(logs.directory, instance)} for files that are not its own`,
      },
    ),
  ];
}

function existingAncestor(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existingAncestor(dirname(path));
}

const EXECUTABLE_CHECK = 'executable';
const BUILD = { remedy: 'npm run build' };

/** Whether the executable is there, is made from the present sources, and is what the instances run. */
export async function checkExecutable(subject: Subject): Promise<Finding[]> {
  const { root, now } = subject;
  const path = executablePath(root);
  const shown = relative(root, path);
  if (!existsSync(path)) return [fail(EXECUTABLE_CHECK, `${shown} is missing`, BUILD)];
  const stamp = await readStamp(root);
  if (stamp === undefined) return [warn(EXECUTABLE_CHECK, `${shown} does not say what it was built from`, BUILD)];
  if (stamp.platform !== PLATFORM) return [fail(EXECUTABLE_CHECK, `${shown} was built for ${stamp.platform}`, BUILD)];
  const age = `was built ${formatDuration(now - Date.parse(stamp.builtAt))} ago`;
  const isCurrent = (await hashSources(root).catch(() => undefined)) === stamp.sourceHash;
  return [
    isCurrent
      ? ok(EXECUTABLE_CHECK, `${shown} ${age}, from the present sources`)
      : warn(EXECUTABLE_CHECK, `${shown} ${age}, from other sources than there are now`, BUILD),
    ...findOlderProcesses(subject, stamp),
  ];
}

function findOlderProcesses({ observations }: Subject, stamp: BuildStamp): Finding[] {
  return observations.flatMap(({ instance: { name }, answer, isOurs }) => {
    if (answer?.kind !== 'instance' || !isOurs || !isOlderThan(stamp, answer.health)) return [];
    return [
      warn(EXECUTABLE_CHECK, 'runs an older build than there is now', {
        instance: name,
        remedy: `./manage reload ${name}`,
      }),
    ];
  });
}

const FOLDERS_CHECK = 'folders';
const OWNER_ONLY = 0o700;

/** Whether the folders are there in which instances are found, and in which they write. */
export function checkFolders({ root, all }: Subject): Finding[] {
  const configs = all.flatMap(({ config }) => config ?? []);
  const needed = new Set([join(root, 'envs'), join(root, 'logs'), ...configs.map(({ logs }) => logs.directory)]);
  // Made when there is something to write.
  const possible = [join(root, 'state'), ...configs.map(({ stateDirectory }) => stateDirectory)];
  const findings = [...new Set([...needed, ...possible])].flatMap((path) => {
    const shown = relative(root, path);
    const kind = kindOf(path);
    if (kind === 'other') return [fail(FOLDERS_CHECK, `${shown} is not a folder`, { remedy: `move ${shown} away` })];
    if (kind === 'folder' || !needed.has(path)) return [];
    const words = `mkdir -p ${shown}`;
    const run = () => void mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    return [warn(FOLDERS_CHECK, `${shown} is missing`, { remedy: words, fix: { words, run } })];
  });
  return findings.length > 0 ? findings : [ok(FOLDERS_CHECK, 'are all there')];
}

function kindOf(path: string): 'folder' | 'other' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR' ? 'other' : 'missing';
  }
}

const LOCKS_CHECK = 'locks';
/** Removing a stale lock takes the launcher a moment; the mark of a removal that is older has been left behind. In ms. */
const REMOVAL_TIME_MS = 10_000;

/**
 * Whether the lock of `./manage` for installing and building belongs to a process that lives. The one for start and stop is the
 * operating system's own and cannot be stale.
 */
export function checkLocks({ root, now }: Subject): Finding[] {
  const lock = join(root, 'state', 'launcher.lock');
  const removal = `${lock}.removal`;
  const left = (path: string, detail: string) => {
    const words = `rm -r ${relative(root, path)}`;
    const fix = { words, run: () => rmSync(path, { recursive: true, force: true }) };
    return warn(LOCKS_CHECK, detail, { remedy: words, fix });
  };
  const holder = readHolder(lock);
  const removalSince = statSync(removal, { throwIfNoEntry: false })?.mtimeMs ?? now;
  const findings = [
    ...(holder !== undefined && !isAlive(holder)
      ? [left(lock, `process ${holder} is gone and has left its lock`)]
      : []),
    ...(now - removalSince > REMOVAL_TIME_MS ? [left(removal, 'the removal of a lock was not finished')] : []),
  ];
  if (findings.length > 0) return findings;
  return [ok(LOCKS_CHECK, holder === undefined ? 'none is held' : `process ${holder} installs or builds`)];
}

function readHolder(lock: string): number | undefined {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined;
  }
}

/** Whether this is the Node that package.json pins, which the executable is made of too. */
export function checkRuntime({ root }: Subject): Finding[] {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const platform = PLATFORM.replace('win32', 'win');
  const name = Object.keys(optionalDependencies).find((candidate) => candidate.endsWith(`-${platform}`));
  if (name === undefined) return [fail('runtime', `package.json pins no Node.js for ${platform}`)];
  const pinned = `v${optionalDependencies[name]}`;
  return process.version === pinned
    ? [ok('runtime', `Node.js ${pinned}, as pinned`)]
    : [
        fail('runtime', `Node.js ${process.version} runs this, but package.json pins ${pinned}`, {
          remedy: 'npm ci --include=optional',
        }),
      ];
}

const CLAUDE_CHECK = 'Claude Code';
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
  return findings.length > 0 ? findings : [ok(CLAUDE_CHECK, 'its settings leave address, key and model to the shell')];
}

function checkFile(file: string, isManaged: boolean, all: readonly Instance[]): Finding[] {
  const settings = parseObject(readFileSync(file, 'utf8'));
  if (settings === undefined)
    return [warn(CLAUDE_CHECK, `${file} is not JSON, so that all of it is passed over`, { remedy: `mend ${file}` })];
  const { env } = settings;
  const names = leadingNames(isObject(env) ? env : {});
  if (asString(settings['apiKeyHelper'])) names.push('apiKeyHelper');
  if (names.length === 0) return [];
  const target = isObject(env) ? instanceAt(asString(env['ANTHROPIC_BASE_URL']), all) : undefined;
  if (target !== undefined) return [ok(CLAUDE_CHECK, `${file} leads it to ${target}`)];
  const remedy = isManaged
    ? `ask who manages this machine to remove it from ${file}`
    : `remove it from ${file}; ${RUN}`;
  return [warn(CLAUDE_CHECK, `${file} sets ${names.join(', ')}, before the shell’s`, { remedy })];
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

const SHELL_CHECK = 'shell';
const BASE_URL = 'ANTHROPIC_BASE_URL';

/** Whether variables of this shell lead `claude` elsewhere, or contradict each other. */
export function checkShell({ environment, all }: Subject): Finding[] {
  const names = leadingNames(environment);
  const target = instanceAt(environment[BASE_URL], all);
  const others = names.filter(
    (name) => name.startsWith('CLAUDE_CODE_USE_') || (name === BASE_URL && target === undefined),
  );
  const findings = [
    ...others.map((name) => warn(SHELL_CHECK, `${name} leads claude elsewhere`, { remedy: `unset ${name}` })),
    ...(names.includes('ANTHROPIC_API_KEY') && names.includes('ANTHROPIC_AUTH_TOKEN')
      ? [
          warn(SHELL_CHECK, 'both ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set, which claude warns of', {
            remedy: 'unset ANTHROPIC_API_KEY',
          }),
        ]
      : []),
    ...checkNetworkProxy(environment),
  ];
  if (findings.length > 0) return findings;
  return [
    ok(SHELL_CHECK, target === undefined ? 'nothing leads claude elsewhere' : `${BASE_URL} leads claude to ${target}`),
  ];
}

/** Claude Code asks a network proxy for addresses of this machine too, unless it is told not to. */
function checkNetworkProxy(environment: Subject['environment']): Finding[] {
  const name = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].find((candidate) => environment[candidate]);
  const exceptions = (environment['no_proxy'] || environment['NO_PROXY'] || '').split(/[\s,]+/);
  if (name === undefined || exceptions.some((host) => ['*', '127.0.0.1', '127.0.0.0/8'].includes(host))) return [];
  return [
    warn(
      SHELL_CHECK,
      `${name} is set and NO_PROXY does not except 127.0.0.1, so that claude does not reach the instances`,
      {
        remedy: 'export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}", or use ./manage run NAME',
      },
    ),
  ];
}
