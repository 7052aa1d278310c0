import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Problem, ProviderKey } from '../../config/config.ts';
import { asString, isObject } from '../../core/json.ts';
import { readCommand } from '../../host/ports.ts';
import { executablePath } from '../buildStamp.ts';
import { addressOf, describeReload, findRemark } from '../supervisor/explain.ts';
import { type Health, providerMarks } from '../supervisor/health.ts';
import { envFile, type Instance, isSound, runsExecutable } from '../supervisor/instances.ts';
import type { Observation } from '../supervisor/observe.ts';
import type { Pm2Row } from '../supervisor/pm2.ts';
import { hasOlderSettings, judge } from '../supervisor/state.ts';
import { describeIgnoredEnvFiles } from '../views/showInstances.ts';
import { type Finding, fail, ok, type Subject, warn } from './finding.ts';

const INSTANCE_CHECK = 'instance';

/** Whether each instance is what answers on its port, and how it fares by its own account. */
export async function checkInstances({ observations }: Subject): Promise<Finding[]> {
  return (await Promise.all(observations.map(checkInstance))).flat();
}

async function checkInstance(observation: Observation): Promise<Finding[]> {
  const { instance, answer, isOurs, row } = observation;
  const { name } = instance;
  const state = judge(observation);
  const restart = { instance: name, remedy: `./manage restart ${name}` };
  const said = (await findRemark(observation, state))?.what ?? state;
  switch (state) {
    case 'port taken':
      return [
        fail(INSTANCE_CHECK, said, {
          instance: name,
          remedy: `end that program, or change PORT: ./manage edit ${name}`,
        }),
      ];
    case 'name taken':
      return [fail(INSTANCE_CHECK, said, { instance: name, remedy: `mv envs/${name}.env envs/ANOTHER.env` })];
    case 'not answering':
      return [fail(INSTANCE_CHECK, `takes connections on ${addressOf(instance)} and does not answer`, restart)];
    case 'backing off':
      return [fail(INSTANCE_CHECK, endsAgain(name, row?.restarts ?? 0), restart)];
    case 'failed':
      if (!isSound(instance)) return []; // the env file is told already
      return [
        fail(
          INSTANCE_CHECK,
          `has ended with exit status ${row?.exitCode ?? 'unknown'}; logs/${name}/console.log says why`,
          restart,
        ),
      ];
    case 'unsupervised':
      return [
        warn(INSTANCE_CHECK, `runs on ${addressOf(instance)}, but PM2 does not know it`, {
          instance: name,
          remedy: `./manage start ${name}`,
        }),
      ];
    default:
  }
  // One that crashes is seen as often between two attempts as in one.
  if (state === 'starting' && row !== undefined && row.restarts > 0)
    return [fail(INSTANCE_CHECK, endsAgain(name, row.restarts), restart)];
  const news = describeReload(observation);
  if (news !== undefined) {
    const remedy = `./manage ${news.remedy === undefined ? 'edit' : 'reload'} ${name}`;
    return [warn(INSTANCE_CHECK, news.what, { instance: name, remedy })];
  }
  if (hasOlderSettings(observation)) {
    return [
      warn(INSTANCE_CHECK, `runs with older settings than envs/${name}.env holds`, {
        instance: name,
        remedy: `./manage reload ${name}`,
      }),
    ];
  }
  const health = answer?.kind === 'instance' && isOurs ? answer.health : undefined;
  if (health === undefined) return [ok(INSTANCE_CHECK, state, name)];
  const troubles = troublesOf(health).map((detail) =>
    warn(INSTANCE_CHECK, detail, { instance: name, remedy: `./manage logs ${name} --errors` }),
  );
  return [ok(INSTANCE_CHECK, `${state} on ${addressOf(instance)}, pid ${health.pid}`, name), ...troubles];
}

function endsAgain(name: string, restarts: number): string {
  return `ends again and again (${restarts} times); logs/${name}/console.log says why`;
}

/** What an instance says of itself that is not as it should be. */
function troublesOf(health: Health): string[] {
  const marks = providerMarks(health);
  return [
    ...(marks === '' ? [] : [`does not ask its provider as usual: ${marks}`]),
    ...(['log', 'usage'] as const).flatMap((part) => {
      const figures = health.body[part];
      if (!isObject(figures) || figures['healthy'] !== false) return [];
      return [`its ${part} cannot be written: ${asString(figures['last_error']) ?? 'reason unknown'}`];
    }),
  ];
}

const ENV_FILE_CHECK = 'env file';
const OWNER_ONLY = 0o600;

const KEYS: Readonly<Record<ProviderKey['source'], string>> = {
  file: 'with a key',
  environment: 'its key from the environment',
  'secret file': 'its key in a file of its own',
  'providers file': 'its key in the providers file',
  client: 'without a key, so that the client’s own is passed on',
  none: 'no key needed',
};

/** Whether the env files can be used, are for their owner's eyes only, and have a key. */
export function checkEnvFiles({ root, all, observations }: Subject): Finding[] {
  if (all.length === 0)
    return [warn(ENV_FILE_CHECK, 'there is none yet', { remedy: './manage init, or ./manage start all' })];
  return [
    ...observations.flatMap(({ instance }) => [
      ...checkFile(root, instance),
      ...instance.problems.map((problem) => describeProblem(instance, problem)),
    ]),
    ...describeIgnoredEnvFiles(root, all).map((line) => warn(ENV_FILE_CHECK, line, { remedy: 'rename it' })),
  ];
}

function checkFile(root: string, { name, app, config, problems }: Instance): Finding[] {
  if (config === undefined || problems.length > 0) return [];
  const { port, provider } = config;
  return [
    ok(
      ENV_FILE_CHECK,
      `${relative(root, app.args[1])}: ${provider.preset.title}, port ${port}, ${KEYS[provider.key.source]}`,
      name,
    ),
  ];
}

function describeProblem(instance: Instance, { file, line, key, found, fix, severity }: Problem): Finding {
  const place = line === undefined ? file : `${file}:${line}`;
  const further = { instance: instance.name, remedy: fix.replace(/^Run: /, '') };
  if (severity === 'error') return fail(ENV_FILE_CHECK, `${place}  ${key}: found ${found}`, further);
  const problem = warn(ENV_FILE_CHECK, `${place}  ${key}: found ${found}`, further);
  // The only warning about the file itself is the one that others may read it.
  if (key !== 'file') return problem;
  const run = () => chmodSync(envFile(instance), OWNER_ONLY);
  return { ...problem, fix: { words: `chmod 600 ${file}`, run } };
}

const PM2_CHECK = 'PM2';

/** Whether PM2 answers, is the version that it should be, and what else it looks after. */
export async function checkPm2({ root, pm2, environment }: Subject): Promise<Finding[]> {
  if (pm2 instanceof Error) return [fail(PM2_CHECK, pm2.message, { remedy: 'npm ci; if it hangs: ./manage pm2 kill' })];
  const installed = readInstalledVersion(root);
  const running = await readDaemonVersion(environment);
  return [...checkInstalled(root, installed), checkDaemon(installed, running), ...describeOtherApps(root, pm2)];
}

function readInstalledVersion(root: string): string | undefined {
  const file = join(root, 'node_modules', 'pm2', 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

function checkInstalled(root: string, installed: string | undefined): Finding[] {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (installed === undefined)
    return [warn(PM2_CHECK, 'is not installed here; the one on PATH is used', { remedy: 'npm ci' })];
  if (installed === dependencies.pm2) return [];
  return [
    warn(PM2_CHECK, `version ${installed} is installed, package.json wants ${dependencies.pm2}`, { remedy: 'npm ci' }),
  ];
}

/** The daemon writes its version into the name of its process; undefined when none runs. */
async function readDaemonVersion(environment: Subject['environment']): Promise<string | undefined> {
  const home = environment['PM2_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pm2');
  const file = join(home, 'pm2.pid');
  if (!existsSync(file)) return undefined;
  const command = await readCommand(Number(readFileSync(file, 'utf8')));
  return /^PM2 v(?<version>\S+):/.exec(command?.join(' ') ?? '')?.groups?.['version'];
}

function checkDaemon(installed: string | undefined, running: string | undefined): Finding {
  if (running === undefined) return ok(PM2_CHECK, `${installed ?? ''} no daemon runs; ./manage start makes one`.trim());
  if (installed === undefined || running === installed) return ok(PM2_CHECK, `${running}, its daemon runs`);
  return warn(PM2_CHECK, `the daemon is version ${running}, installed is ${installed}`, {
    remedy: './manage pm2 update (restarts everything that PM2 runs)',
  });
}

function describeOtherApps(root: string, rows: readonly Pm2Row[]): Finding[] {
  const others = rows.filter(({ executable }) => executable !== executablePath(root)).map(({ name }) => name);
  return others.length === 0
    ? []
    : [ok(PM2_CHECK, `also runs what is not of this project, and is left alone: ${others.join(', ')}`)];
}

const run = promisify(execFile);

/** Processes of this project's executable that neither PM2 nor a port knows: of an env file that had another port or name. */
export async function findStrays({ root, pm2, observations, all }: Subject): Promise<Finding[]> {
  if (pm2 instanceof Error || observations.length < all.length) return []; // not everybody was asked
  const answering = observations.flatMap(({ parts }) => parts.flatMap(({ health }) => health?.pid ?? []));
  const known = new Set([...pm2.map(({ pid }) => pid), ...answering]);
  const found = await Promise.all((await listProcesses()).filter((pid) => !known.has(pid)).map(describe));
  const executable = executablePath(root);
  return found.flatMap(({ pid, command }) => {
    const at = command.indexOf('--env');
    if (!runsExecutable(command, executable) || at < 0) return [];
    const file = basename(command[at + 1] ?? '');
    return [
      warn('processes', `pid ${pid} runs with ${file}, unknown to PM2 and to any port`, { remedy: `kill ${pid}` }),
    ];
  });
}

async function describe(pid: number) {
  return { pid, command: (await readCommand(pid)) ?? [] };
}

async function listProcesses(): Promise<number[]> {
  if (process.platform === 'linux') return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const { stdout } = await run('ps', ['-axo', 'pid=']).catch(() => ({ stdout: '' }));
  return stdout.trim().split(/\s+/).map(Number);
}
