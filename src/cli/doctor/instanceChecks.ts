import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Problem, ProviderKey } from '../../config/config.ts';
import { describeFactsAge, factsInUse } from '../../config/describe.ts';
import { readCommand, readUnit } from '../../host/ports.ts';
import { executablePath } from '../../host/workers.ts';
import { ageInDays } from '../../providers/preset.ts';
import { describeMissing, missingExecutables } from '../service/service.ts';
import { type Condition, describeCondition } from '../supervisor/condition.ts';
import { type Health, providerTrouble } from '../supervisor/health.ts';
import type { Inspection } from '../supervisor/inspect.ts';
import {
  addressOf,
  describeIgnoredEnvFiles,
  envFile,
  type Instance,
  isSound,
  runsExecutable,
} from '../supervisor/instances.ts';
import { describeOtherApps, type Pm2Row, pm2Home } from '../supervisor/pm2.ts';
import { deriveState, diagnose, diagnoseReload, hasOlderSettings, type State } from '../supervisor/state.ts';
import { type CheckContext, type Finding, findingsOf } from './finding.ts';

const instanceCheck = findingsOf('instance');

/** Whether each instance is what answers on its port, and how it fares by its own report. */
export async function checkInstances({ inspections }: CheckContext): Promise<Finding[]> {
  return (await Promise.all(inspections.map(checkInstance))).flat();
}

async function checkInstance(inspection: Inspection): Promise<Finding[]> {
  const { instance, answer, isOurs } = inspection;
  const { name } = instance;
  const state = deriveState(inspection);
  const failure = await findFailure(inspection, state);
  if (failure !== undefined) return failure;
  if (inspection.movedFrom !== undefined || inspection.otherUser !== undefined) {
    const { problem = state, remedy = '' } = (await diagnose(inspection, state)) ?? {};
    return [instanceCheck.warn(problem, { instance: name, remedy })];
  }
  if (state === 'unsupervised') {
    const detail = `runs on ${addressOf(instance)}, but PM2 does not know it`;
    return [instanceCheck.warn(detail, { instance: name, remedy: `./manage start ${name}` })];
  }
  const reload = diagnoseReload(inspection);
  if (reload !== undefined) {
    const remedy = `./manage ${reload.remedy === undefined ? 'edit' : 'reload'} ${name}`;
    return [instanceCheck.warn(reload.problem, { instance: name, remedy })];
  }
  if (hasOlderSettings(inspection)) {
    const detail = `runs with older settings than envs/${name}.env holds`;
    return [instanceCheck.warn(detail, { instance: name, remedy: `./manage reload ${name}` })];
  }
  const health = answer?.kind === 'instance' && isOurs ? answer.health : undefined;
  if (health === undefined) return [instanceCheck.ok(state, { instance: name })];
  const place = `on ${addressOf(instance)}, pid ${health.pid}`;
  const facts = { instance, state, health, row: inspection.row, isSound: isSound(instance), hasRun: true };
  const { condition, hint } = describeCondition(facts);
  const logs = `./manage logs ${name} --errors`;
  const finding =
    condition === 'ready'
      ? instanceCheck.ok(`${condition} ${place}`, { instance: name })
      : instanceCheck.warn(`${condition} ${place}${hint === undefined ? '' : `: ${hint.problem}`}`, {
          instance: name,
          remedy: hint?.remedy ?? logs,
        });
  const troubles = troublesOf(health, condition).map((detail) =>
    instanceCheck.warn(detail, { instance: name, remedy: logs }),
  );
  return [finding, ...troubles, ...checkPictures(name, health), ...checkSearches(name, health)];
}

/** Whether pictures came that nobody has seen, or that the side model could not describe. */
function checkPictures(name: string, { vision, unseen_pictures: unseen = 0 }: Health): Finding[] {
  const { failed = 0, model } = vision ?? {};
  const unseenRemedy = `name a model that sees: ./manage set ${name} VISION_MODEL=MODEL (docs/VISION.md)`;
  return [
    ...(unseen === 0 || vision != null
      ? []
      : [
          instanceCheck.warn(`${unseen} requests brought pictures, which its model does not see`, {
            instance: name,
            remedy: unseenRemedy,
          }),
        ]),
    ...(failed === 0
      ? []
      : [
          instanceCheck.warn(`${failed} pictures could not be described by ${model}`, {
            instance: name,
            remedy: `./manage logs ${name} --errors`,
          }),
        ]),
  ];
}

/** Whether searches of the web were refused because nobody does them, or have failed. */
function checkSearches(name: string, { web_search: search }: Health): Finding[] {
  const { refused = 0, failed = 0, searches = 0, back_end: backEnd, last_failure: last } = search ?? {};
  const findings: Finding[] = [];
  if (refused > 0 && backEnd == null) {
    const remedy = `./manage set ${name} WEB_SEARCH=... (docs/SEARCH.md)`;
    findings.push(
      instanceCheck.warn(`refused ${refused} web searches, which its provider cannot do`, { instance: name, remedy }),
    );
  }
  if (failed > searches) {
    const detail = `${failed} of ${failed + searches} web searches by ${backEnd} failed, the last: ${last?.reason}`;
    findings.push(
      instanceCheck.warn(detail, { instance: name, remedy: 'docs/SEARCH.md has the settings of each search API' }),
    );
  }
  return findings;
}

/** Why an instance does not serve though it should; undefined when nothing keeps it from serving. */
async function findFailure(inspection: Inspection, state: State): Promise<Finding[] | undefined> {
  const { instance, row } = inspection;
  const { name } = instance;
  const failure = (detail: string, remedy = `./manage restart ${name}`) => [
    instanceCheck.fail(detail, { instance: name, remedy }),
  ];
  const problem = async () => (await diagnose(inspection, state))?.problem ?? state;
  switch (state) {
    case 'port taken':
      return failure(await problem(), `end that program, or change PORT: ./manage edit ${name}`);
    case 'not answering':
      return failure(`takes connections on ${addressOf(instance)} and does not answer`);
    case 'failed':
      if (!isSound(instance)) return []; // reported with the env file
      return failure(`has ended with exit status ${row?.exitCode ?? 'unknown'}; logs/${name}/console.log says why`);
    // One that crashes is seen as often between two attempts as in one.
    case 'backing off':
    case 'starting': {
      const restarts = row?.restarts ?? 0;
      if (state === 'starting' && restarts === 0) return undefined;
      return failure(`ends again and again (${restarts} times); logs/${name}/console.log says why`);
    }
    default:
      return undefined;
  }
}

/** What an instance reports of itself that is not as it should be. */
function troublesOf(health: Health, condition: Condition): string[] {
  const trouble = condition === 'ready' ? providerTrouble(health) : '';
  return [
    ...(trouble === '' ? [] : [`uses only some of its providers or keys for now: ${trouble}`]),
    ...(['log', 'usage'] as const).flatMap((name) => {
      const writer = health[name];
      if (writer?.healthy !== false) return [];
      return [`its ${name} cannot be written: ${writer.last_error ?? 'reason unknown'}`];
    }),
    ...receiverTroubles(health),
  ];
}

/** Where usage, traces and metrics should go and do not. */
function receiverTroubles({ usage_database: database, otlp }: Health): string[] {
  const why = (reason: string | undefined) => reason ?? 'reason unknown';
  return [
    ...(database?.healthy === false
      ? [
          `its usage database cannot be written: ${why(database.last_error)}; ${database.waiting ?? 0} rows wait in its usage file`,
        ]
      : []),
    ...(otlp?.healthy === false ? [`its OpenTelemetry collector takes nothing: ${why(otlp.last_error)}`] : []),
  ];
}

const toolsCheck = findingsOf('tools');
/** Variables with which Claude Code sends all its tools. */
const SEARCH_VARIABLES = ['ENABLE_TOOL_SEARCH', 'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS'];

/** Whether sessions have lacked tools since the start of an instance, and what would give them back. */
export function checkTools({ inspections, environment }: CheckContext): Finding[] {
  return inspections.flatMap(({ instance: { name }, answer, isOurs }) => {
    const tools = answer?.kind === 'instance' && isOurs ? answer.health.tools : undefined;
    const { limited_sessions: limited = 0, left_out: leftOut = 0 } = tools ?? {};
    const { search_lost_sessions: lost = 0, search_lost_reason: reason } = tools ?? {};
    const findings: Finding[] = [];
    if (limited > 0) {
      const detail = `the model’s server takes no more tools than it was sent in ${sessions(limited)}; ${leftOut} were left out of the latest request`;
      const set = SEARCH_VARIABLES.filter((variable) => environment[variable] !== undefined);
      const off =
        set.length > 0 ? `unset ${set.join(' ')}` : 'remove ENABLE_TOOL_SEARCH from its settings, then use /clear';
      const remedy = `let Claude Code search for its tools (docs/TOOLS.md): ${off}`;
      findings.push(toolsCheck.warn(detail, { instance: name, remedy }));
    }
    if (lost > 0) {
      const detail = `Claude Code has given up its search for tools in ${sessions(lost)}, after a refusal: ${reason ?? ''}`;
      const remedy = `/compact or /clear brings it back; ./manage logs ${name} --errors shows the refusals`;
      findings.push(toolsCheck.warn(detail, { instance: name, remedy }));
    }
    return findings;
  });
}

function sessions(count: number): string {
  return count === 1 ? 'one session' : `${count} sessions`;
}

const envFileCheck = findingsOf('env file');
const OWNER_ONLY = 0o600;

const KEYS: Readonly<Record<ProviderKey['source'], string>> = {
  file: 'with a key',
  environment: 'its key from the environment',
  'secret file': 'its key in a file of its own',
  'providers file': 'its key in the providers file',
  client: 'without a key; the one that Claude Code sends is used',
  none: 'no key needed',
};

/** Whether the env files can be used, are for their owner's eyes only, and have a key. */
export function checkEnvFiles({ root, all, inspections }: CheckContext): Finding[] {
  if (all.length === 0)
    return [envFileCheck.warn('there is none yet', { remedy: './manage init, or ./manage start all' })];
  return [
    ...inspections.flatMap(({ instance }) => [
      ...checkFile(root, instance),
      ...instance.problems.map((problem) => describeProblem(instance, problem)),
    ]),
    ...describeIgnoredEnvFiles(root, all).map((line) => envFileCheck.warn(line, { remedy: 'rename it' })),
  ];
}

function checkFile(root: string, { name, app, config, problems }: Instance): Finding[] {
  if (config === undefined || problems.length > 0) return [];
  const { port, provider } = config;
  const detail = `${relative(root, app.args[1])}: ${provider.preset.title}, port ${port}, ${KEYS[provider.key.source]}`;
  return [envFileCheck.ok(detail, { instance: name })];
}

function describeProblem(instance: Instance, { file, line, key, found, fix, severity }: Problem): Finding {
  const location = line === undefined ? file : `${file}:${line}`;
  const further = { instance: instance.name, remedy: fix.replace(/^Run: /, '') };
  if (severity === 'error') return envFileCheck.fail(`${location}  ${key}: found ${found}`, further);
  const problem = envFileCheck.warn(`${location}  ${key}: found ${found}`, further);
  // The only warning about the file itself is the one that others may read it.
  if (key !== 'file') return problem;
  const run = () => chmodSync(envFile(instance), OWNER_ONLY);
  return { ...problem, fix: { words: `chmod 600 ${file}`, run } };
}

const factsCheck = findingsOf('facts');
/** Prices and limits of models change every few weeks. */
const MOST_DAYS = 60;

/** How old the prices and limits are by which each instance goes. */
export function checkFacts({ inspections, now }: CheckContext): Finding[] {
  return inspections.flatMap(({ instance: { name, config } }) => {
    const [oldest] = config === undefined ? [] : factsInUse(config);
    if (oldest === undefined) return [];
    const { preset } = oldest.named.provider;
    const detail = `prices and limits of ${preset.name} are of ${describeFactsAge(oldest, now)}`;
    if (ageInDays(oldest.day, now) <= MOST_DAYS) return [factsCheck.ok(detail, { instance: name })];
    const update = 'a newer version of this program';
    const remedy = preset.catalogue === undefined ? update : `./manage providers --refresh, or ${update}`;
    return [factsCheck.warn(detail, { instance: name, remedy })];
  });
}

const pm2Check = findingsOf('PM2');

/** Whether PM2 answers, is the version that it should be, and what else it runs. */
export async function checkPm2({ root, pm2, environment }: CheckContext): Promise<Finding[]> {
  if (pm2 instanceof Error) return [pm2Check.fail(pm2.message, { remedy: 'npm ci; if it hangs: ./manage pm2 kill' })];
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // Where systemd runs the instances.
  if (dependencies === undefined && pm2.length === 0) return [];
  const installed = readInstalledVersion(root);
  const running = await readDaemonVersion(environment);
  return [
    ...checkInstalled(installed, dependencies?.pm2),
    checkDaemon(installed, running),
    ...checkSavedList(environment),
    ...checkOtherApps(root, pm2),
  ];
}

/** Whether what PM2 has saved to start with the machine can be started. */
function checkSavedList(environment: CheckContext['environment']): Finding[] {
  const missing = missingExecutables(join(pm2Home(environment), 'dump.pm2'));
  return missing.length === 0 ? [] : [pm2Check.warn(describeMissing(missing), { remedy: './manage service install' })];
}

function readInstalledVersion(root: string): string | undefined {
  const file = join(root, 'node_modules', 'pm2', 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

function checkInstalled(installed: string | undefined, wanted: string | undefined): Finding[] {
  if (installed === undefined)
    return [pm2Check.warn('is not installed here; the one on PATH is used', { remedy: 'npm ci' })];
  if (installed === wanted) return [];
  return [pm2Check.warn(`version ${installed} is installed, package.json wants ${wanted}`, { remedy: 'npm ci' })];
}

/** The daemon writes its version into the name of its process; undefined when none runs. */
async function readDaemonVersion(environment: CheckContext['environment']): Promise<string | undefined> {
  const file = join(pm2Home(environment), 'pm2.pid');
  if (!existsSync(file)) return undefined;
  const command = await readCommand(Number(readFileSync(file, 'utf8')));
  return /^PM2 v(?<version>\S+):/.exec(command?.join(' ') ?? '')?.groups?.['version'];
}

function checkDaemon(installed: string | undefined, running: string | undefined): Finding {
  if (running === undefined) return pm2Check.ok(`${installed ?? ''} no daemon runs; ./manage start makes one`.trim());
  if (installed === undefined || running === installed) return pm2Check.ok(`${running}, its daemon runs`);
  return pm2Check.warn(`the daemon is version ${running}, installed is ${installed}`, {
    remedy: './manage pm2 update (restarts everything that PM2 runs)',
  });
}

function checkOtherApps(root: string, rows: readonly Pm2Row[]): Finding[] {
  const others = describeOtherApps(rows, root);
  return others.length === 0 ? [] : [pm2Check.ok(`also runs what is not of this checkout: ${others.join(', ')}`)];
}

const processCheck = findingsOf('processes');

/** Processes of this project's executable that neither PM2 nor a port knows: of an env file that had another port or name. */
export async function findUnsupervised({ root, pm2, inspections, all }: CheckContext): Promise<Finding[]> {
  if (pm2 instanceof Error || inspections.length < all.length) return []; // some ports were not asked
  const answering = inspections.flatMap(({ workers }) => workers.flatMap(({ health }) => health?.pid ?? []));
  const known = new Set([...pm2.map(({ pid }) => pid), ...answering]);
  const executable = executablePath(root);
  const checkProcess = async (pid: number): Promise<Finding[]> => {
    const command = (await readCommand(pid)) ?? [];
    const at = command.indexOf('--env');
    if (!runsExecutable(command, executable) || at < 0 || (await readUnit(pid)) !== undefined) return [];
    const detail = `pid ${pid} runs with ${basename(command[at + 1] ?? '')}, unknown to PM2 and to any port`;
    return [processCheck.warn(detail, { remedy: `kill ${pid}` })];
  };
  const others = (await listProcesses()).filter((pid) => !known.has(pid));
  return (await Promise.all(others.map(checkProcess))).flat();
}

async function listProcesses(): Promise<number[]> {
  if (process.platform === 'linux') return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=']).catch(() => ({ stdout: '' }));
  return stdout.trim().split(/\s+/).map(Number);
}
