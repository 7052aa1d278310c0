import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { asString, isObject, parseObject } from '../../core/json.ts';
import { quotePosix, terminalSafe } from '../../core/text.ts';
import { executablePath } from '../../host/workers.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { pm2Command, pm2Environment, pm2Home } from '../supervisor/pm2.ts';
import { runInForeground } from '../terminal/foreground.ts';

const SCHEMA = 1;

type ServiceInvocation = Invocation<'dryRun' | 'yes' | 'input' | 'json'>;

/** Makes the instances come back when the machine starts, or no longer, or shows whether they do. */
export async function runServiceAction(context: Context, invocation: ServiceInvocation): Promise<ExitCode> {
  const plan = planService(context);
  switch (invocation.names[0]) {
    case 'install':
      return withManagerLock(context, invocation, () => install(context, invocation, plan));
    case 'uninstall':
      return withManagerLock(context, invocation, () => uninstall(context, invocation, plan));
    default:
      return showState(context, invocation, plan);
  }
}

async function install(context: Context, invocation: ServiceInvocation, plan: ServicePlan): Promise<ExitCode> {
  const { root, output } = context;
  checkPaths(context, plan);
  const { running } = await readServiceState(context, plan);
  if (running === '') throw new Failure('nothing runs under PM2; start what shall come back, then run this again');
  const save = [...pm2Command(root), 'save'];
  const steps = [
    `1. Write down what PM2 runs now (${running}) in ${plan.listFile}, without any key:`,
    `     ${shellLine(save)}`,
    `2. Let ${plan.initSystem} start PM2 with that list when the machine starts, as ${plan.user} (service ${plan.serviceName}):`,
    `     ${shellLine(plan.command('startup'))}`,
    'To take it back: ./manage service uninstall',
  ];
  if (!(await mayGoOn(context, invocation, plan, steps))) return exitCodes.ok;
  await carryOut(context, save);
  await carryOut(context, plan.command('startup'));
  output.say('Done. After another start or stop of instances run this again, as the list is of now.');
  return exitCodes.ok;
}

/** PM2 puts paths into the file of a service as they are, where an init system takes these letters for its own. */
const NOT_IN_SERVICE = /[^\p{Letter}\p{Mark}\p{Number}/.,:@_+=~-]/u;

/** @throws Failure when the file of the service would not mean these folders */
function checkPaths({ root }: Context, plan: ServicePlan): void {
  const path = [root, plan.pm2Home].find((candidate) => NOT_IN_SERVICE.test(candidate));
  if (path === undefined) return;
  const [letter] = NOT_IN_SERVICE.exec(path) ?? [''];
  throw new Failure(
    `PM2 makes no service that works for a folder with ${JSON.stringify(letter)} in its path (${terminalSafe(path)}); move it, or ${otherMeans(root)}`,
  );
}

/** How else the instances come back. */
function otherMeans(root: string): string {
  return `have this run by other means (cron: @reboot; a container: its own command): ${shellLine([join(root, 'manage'), 'start', 'all'])}`;
}

/** A command as a shell takes it. */
function shellLine(words: readonly string[]): string {
  return words.map((word) => (NOT_IN_SERVICE.test(word) ? quotePosix(word) : word)).join(' ');
}

async function uninstall(context: Context, invocation: ServiceInvocation, plan: ServicePlan): Promise<ExitCode> {
  const steps = [
    `Let ${plan.initSystem} no longer start PM2 with the machine (service ${plan.serviceName}):`,
    `     ${shellLine(plan.command('unstartup'))}`,
    'Where the service has started PM2, this stops PM2 and all that it runs; start it again with: ./manage start all',
    `${plan.listFile} stays, and nobody reads it any more.`,
  ];
  if (!(await mayGoOn(context, invocation, plan, steps))) return exitCodes.ok;
  await carryOut(context, plan.command('unstartup'));
  context.output.say('Done.');
  return exitCodes.ok;
}

/** Shows what would be done, and asks. */
async function mayGoOn(
  { output, prompter }: Context,
  { dryRun, yes, input }: ServiceInvocation,
  { isPossible }: ServicePlan,
  steps: readonly string[],
): Promise<boolean> {
  for (const step of steps) output.print(step);
  if (dryRun) return false;
  if (!isPossible)
    throw new Failure(
      'this needs the rights of root, and sudo is not on PATH; let root run what begins with sudo above',
    );
  if (yes) return true;
  if (prompter === undefined || !input)
    throw new Failure('this needs a confirmation: add --yes, or run it in a terminal', exitCodes.usage);
  return prompter.confirm('Do it?');
}

async function carryOut({ root, environment }: Context, [program = '', ...words]: readonly string[]): Promise<void> {
  const code = await runInForeground({ program, words, directory: root, environment: pm2Environment(environment) });
  if (code !== 0) throw new Failure(`"${[program, ...words].join(' ')}" failed (exit status ${code}), see above`);
}

async function showState(context: Context, { json }: ServiceInvocation, plan: ServicePlan): Promise<ExitCode> {
  const { output } = context;
  const { initSystem, serviceName, user } = plan;
  const state = await readServiceState(context, plan);
  const { isEnabled, saved, running, isCurrent } = state;
  if (json) {
    const service = { init_system: initSystem, name: serviceName, user, enabled: isEnabled ?? null };
    const lists = { saved: saved ?? null, running, is_current: isCurrent };
    output.print(JSON.stringify({ schema: SCHEMA, ...service, ...lists }, undefined, 2));
    return exitCodes.ok;
  }
  const enabled = { true: 'is enabled', false: 'is not enabled', undefined: 'cannot be asked' }[`${isEnabled}`];
  output.print(`service  ${serviceName} of ${initSystem} ${enabled}`);
  output.print(`saved    ${saved ?? 'nothing yet'}`);
  output.print(`running  ${running || 'nothing'}`);
  const missing = missingExecutables(plan.listFile);
  if (isEnabled === false) output.say('With the machine nothing starts; ./manage service install changes that.');
  else if (missing.length > 0) output.say(`${describeMissing(missing)}; ./manage service install saves it anew.`);
  else if (!isCurrent) output.say('What runs is not what was saved; ./manage service install saves it anew.');
  return exitCodes.ok;
}

/** What is wrong with a saved list that names these. */
export function describeMissing(executables: readonly string[]): string {
  return `what was saved to start with the machine is no longer there: ${executables.map(terminalSafe).join(', ')}`;
}

/** What starts programs when a machine starts, by PM2's names, each recognized by a command; in the order in which PM2 tries them. */
const INIT_SYSTEMS = [
  ['systemctl', 'systemd'],
  ['update-rc.d', 'upstart'],
  ['chkconfig', 'systemv'],
  ['rc-update', 'openrc'],
  ['launchctl', 'launchd'],
  ['sysrc', 'rcd'],
  ['rcctl', 'rcd-openbsd'],
  ['svcadm', 'smf'],
] as const;

/** The commands by which an init system would be known. */
export const initCommands: readonly string[] = INIT_SYSTEMS.map(([command]) => command);

/** PM2's name for the init system of this machine; undefined when PM2 would know none. */
export function findInitSystem(path: string | undefined): string | undefined {
  return INIT_SYSTEMS.find(([command]) => isOnPath(command, path))?.[1];
}

/** Whether a program of that name can be run. */
export function isOnPath(command: string, path = ''): boolean {
  return path.split(':').some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** The way in which PM2, and with it the instances, is started with the machine. */
export interface ServicePlan {
  readonly initSystem: string;
  readonly user: string;
  /** How PM2 calls the service. */
  readonly serviceName: string;
  readonly pm2Home: string;
  /** What `pm2 save` writes, and is started with the machine. */
  readonly listFile: string;
  /** Whether root's rights can be had: by sudo, or as they are there. */
  readonly isPossible: boolean;
  /** The command, with root's rights, that makes or removes the service. */
  command(action: 'startup' | 'unstartup'): readonly string[];
}

/**
 * Finds out what to do on this machine.
 * @throws Failure when PM2 knows no init system here, saying what to do instead.
 */
export function planService({ root, environment }: Context): ServicePlan {
  const path = environment['PATH'];
  const initSystem = findInitSystem(path);
  if (initSystem === undefined) {
    const missing = initCommands.join(', ');
    throw new Failure(
      `nothing here starts programs with the machine in a way that PM2 knows: none of ${missing} is on PATH; ${otherMeans(root)}`,
    );
  }
  const user = environment['USER'] ?? environment['LOGNAME'] ?? userInfo().username;
  const home = pm2Home(environment);
  const asRoot = process.getuid?.() === 0 || initSystem === 'launchd' ? [] : ['sudo'];
  // The service finds the pinned Node.js by this PATH, and nothing else of the caller's shell goes along.
  const variables = [`PATH=${dirname(process.execPath)}:${path}`, `PM2_HOME=${home}`, 'PM2_DISABLE_VERSION_CHECK=true'];
  return {
    initSystem,
    user,
    serviceName: `pm2-${user}`,
    pm2Home: home,
    listFile: join(home, 'dump.pm2'),
    isPossible: asRoot.length === 0 || isOnPath('sudo', path),
    command: (action) => [...asRoot, 'env', ...variables, ...pm2Command(root), action, initSystem, '-u', user],
  };
}

/** How many processes of each app `pm2 save` has written down; undefined when it has never been asked to, or it cannot be read. */
export function readSavedList(file: string): ReadonlyMap<string, number> | undefined {
  if (!existsSync(file)) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
  return Array.isArray(list)
    ? countNames(list.flatMap((app) => (isObject(app) ? (asString(app['name']) ?? []) : [])))
    : undefined;
}

/** Our executables in the saved list that are no longer there, as after a move of the checkout, so that they cannot be started. */
export function missingExecutables(file: string): string[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const list: unknown = parseObject(`{"apps":${text}}`)?.['apps'];
  const paths = Array.isArray(list)
    ? list.flatMap((app) => (isObject(app) ? (asString(app['pm_exec_path']) ?? []) : []))
    : [];
  const ours = paths.filter((path) => basename(path) === basename(executablePath('')));
  return [...new Set(ours)].filter((path) => !existsSync(path));
}

/** How often each name occurs. */
export function countNames(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** `demo, work (2)`. */
export function listNames(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).join(', ');
}

/** Whether the instances come back with the machine. */
export interface ServiceState {
  /** Undefined when it cannot be asked: of other init systems than systemd. */
  readonly isEnabled: boolean | undefined;
  /** What will be started; undefined when nothing was saved. */
  readonly saved: string | undefined;
  readonly running: string;
  readonly isCurrent: boolean;
}

export async function readServiceState({ pm2, environment }: Context, plan: ServicePlan): Promise<ServiceState> {
  const counts = readSavedList(plan.listFile);
  const saved = counts && listNames(counts);
  const running = listNames(countNames((await pm2.list()).map(({ name }) => name)));
  const isEnabled = plan.initSystem === 'systemd' ? await isUnitEnabled(plan.serviceName, environment) : undefined;
  return { isEnabled, saved, running, isCurrent: saved === running };
}

function isUnitEnabled(unit: string, environment: Context['environment']): Promise<boolean> {
  return new Promise((done) => {
    const PATH = environment['PATH'];
    execFile('systemctl', ['is-enabled', unit], { env: { PATH } }, (_error, stdout) =>
      done(stdout.trim() === 'enabled'),
    );
  });
}
