import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Config, clientAddress, instanceName, type Problem } from '../../config/config.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { loadConfig } from '../../config/load.ts';
import type { Context } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { didYouMean } from '../terminal/output.ts';

/** What the manager reads of an app in ecosystem.config.cjs; PM2 reads the rest. */
export interface EcosystemApp {
  /** Absolute path of the binary. */
  readonly script: string;
  /** `--env FILE`, the file absolute, and further options of the binary. */
  readonly args: readonly [string, string, ...string[]];
  /** The whole environment of the instance but for what PM2 adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly out_file: string;
  /** In ms. */
  readonly kill_timeout: number;
  /** How long an instance may take until it answers, in ms. */
  readonly listen_timeout: number;
}

/** The list that PM2 reads too, so that there is one source; read again at each call, as envs/ may have changed. */
export function readEcosystem(root: string): readonly EcosystemApp[] {
  const file = join(root, 'ecosystem.config.cjs');
  const require = createRequire(file);
  delete require.cache[file];
  const apps: readonly EcosystemApp[] = require(file).apps;
  // The page is an app, too, and no instance.
  const instances = apps.filter(({ args: [option] }) => option === '--env');
  return instances.map((app) => ({ ...app, script: join(root, app.script) }));
}

function lineOfPort(file: string): number | undefined {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const index = lines.findLastIndex((line) => /^\s*(?:export\s+)?(?:CLAUDE_PROXY_)?PORT\s*[=:]/.test(line));
  return index < 0 ? undefined : index + 1;
}

/** A problem for every configuration whose port stands in another one too; the address does not matter, as most share it. */
export function findPortClashes(root: string, configs: readonly Config[]): Problem[] {
  return configs.flatMap((config) => {
    const others = configs.filter((other) => other !== config && other.port === config.port);
    if (others.length === 0) return [];
    const line = lineOfPort(config.file);
    return {
      file: relative(root, config.file),
      ...(line === undefined ? {} : { line }),
      key: 'PORT',
      found: `${config.port}, which is also the port of ${others.map((other) => basename(other.file)).join(' and ')}`,
      fix: 'Give each env file a port of its own.',
      severity: 'error',
    };
  });
}

/** One env file: what it asks for, and whether that is possible. */
export interface Instance {
  readonly name: string;
  readonly app: EcosystemApp;
  /** Undefined when the env file is wrong. */
  readonly config: Config | undefined;
  /** Of this file, and of its port in another file. */
  readonly problems: readonly Problem[];
}

/** The path of the env file of an instance. */
export function envFile(instance: Instance): string {
  return instance.app.args[1];
}

/** `127.0.0.1:8081`, as a client on this machine would write it. */
export function addressOf({ config }: Instance): string {
  return config === undefined ? 'an unknown port' : clientAddress(config);
}

/** Whether the instance may be started: nothing but warnings. */
export function isSound(instance: Instance): boolean {
  return instance.config !== undefined && instance.problems.every((problem) => problem.severity === 'warning');
}

/** Whether an instance has run at some time: PM2 makes the file of its console when it starts it. */
export function hasRun({ app }: Instance): boolean {
  return existsSync(app.out_file);
}

/** Every instance of the project with its configuration as PM2 would start it, sorted by name. */
export function loadInstances(root: string): Instance[] {
  const instances = readEcosystem(root).map((app) => {
    const { config, problems } = loadConfig(relative(root, app.args[1]), app.env, root);
    return { name: instanceName(app.args[1]), app, config, problems };
  });
  const clashes = findPortClashes(
    root,
    instances.flatMap(({ config }) => config ?? []),
  );
  return instances.map((instance) => ({
    ...instance,
    problems: [...instance.problems, ...clashes.filter(({ file }) => resolve(root, file) === envFile(instance))],
  }));
}

/**
 * The instances that the given names mean; no names, or `all`, mean every one.
 * @throws Failure (usage) when a name is unknown.
 */
export function selectInstances<T extends { readonly name: string }>(
  root: string,
  instances: readonly T[],
  names: readonly string[],
): T[] {
  if (names.length === 0 || names.includes('all')) return [...instances];
  const known = instances.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const example = existsSync(join(root, 'envs', `${name}.env.example`));
    const parts = name.split(',').filter((part) => part !== '');
    const way = example
      ? `; make it with: cp envs/${name}.env.example envs/${name}.env`
      : parts.length > 1
        ? `; names stand apart: ${parts.join(' ')}`
        : didYouMean(name, [...known, 'all']);
    throw new Failure(`there is no instance "${name}", as there is no envs/${name}.env${way}`, exitCodes.usage);
  }
  return instances.filter(({ name }) => names.includes(name));
}

/** A process that executes itself again names its program by the path without links. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** Whether the file that a process runs, first word or second (after an interpreter), lies in the folder of our executable. */
export function runsExecutable(command: readonly string[], executable: string): boolean {
  const folders = [executable, realPath(executable)].map((path) => dirname(path));
  return command.slice(0, 2).some((word) => folders.includes(dirname(word)));
}

/**
 * Whether a process was started as this instance of this project: it runs our executable, and its env file is the
 * instance's own. Only such a process may be signalled.
 */
export function isCommandOf(
  command: readonly string[] | undefined,
  app: Pick<EcosystemApp, 'script' | 'args'>,
): boolean {
  if (command === undefined) return false;
  const [option, file] = app.args;
  return runsExecutable(command, app.script) && ` ${command.join(' ')} `.includes(` ${option} ${file} `);
}

/** Whether there is such a process, be it another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Reports all problems of all env files at once; the code says whether an instance cannot start because of one. */
export function reportProblems({ output }: Context, instances: readonly Instance[]): ExitCode {
  const problems = instances.flatMap((instance) => instance.problems);
  if (problems.length > 0) output.complain(formatProblems(problems));
  return instances.every(isSound) ? exitCodes.ok : exitCodes.configuration;
}

const EXAMPLE = /^(?<name>[a-z0-9][a-z0-9._-]*)\.env\.example$/i;

/** The names of the instances that there are examples for. */
export function exampleNames(root: string): string[] {
  return readdirSync(join(root, 'envs'))
    .flatMap((file) => EXAMPLE.exec(file)?.groups?.['name'] ?? [])
    .sort();
}

/**
 * Before anything is made or started: a name stands for an instance, or for an example of one.
 * @throws Failure (usage) when it stands for neither.
 */
export function checkNames(root: string, names: readonly string[]): void {
  const examples = exampleNames(root);
  const others = names.filter((name) => !examples.includes(name));
  const present = readEcosystem(root).map(({ args: [, file] }) => ({ name: instanceName(file) }));
  if (others.length > 0) selectInstances(root, present, others);
}

/** A line for every file of envs/ that looks like an env file and makes no instance because of its name. */
export function describeIgnoredEnvFiles(root: string, instances: readonly Instance[]): string[] {
  const directory = join(root, 'envs');
  if (!existsSync(directory)) return [];
  const used = new Set(instances.map(({ name }) => `${name}.env`));
  const ignored = readdirSync(directory).filter((file) => file.endsWith('.env') && !used.has(file));
  return ignored.map((file) => {
    return `envs/${file} is not used: a name has lower-case letters and digits, parted by single - _ or . (not "all", not "env")`;
  });
}
