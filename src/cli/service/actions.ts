import type { Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { pm2Command, pm2Environment } from '../supervisor/pm2.ts';
import { runInForeground } from '../terminal/foreground.ts';
import { planService, readServiceState, type ServicePlan } from './service.ts';

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
  const { running } = await readServiceState(context, plan);
  if (running === '') throw new Failure('nothing runs under PM2; start what shall come back, then run this again');
  const save = [...pm2Command(root), 'save'];
  const steps = [
    `1. Write down what PM2 runs now (${running}) in ${plan.listFile}, without any key:`,
    `     ${save.join(' ')}`,
    `2. Let ${plan.initSystem} start PM2 with that list when the machine starts, as ${plan.user} (service ${plan.serviceName}):`,
    `     ${plan.command('startup').join(' ')}`,
    'To take it back: ./manage service uninstall',
  ];
  if (!(await mayGoOn(context, invocation, steps))) return exitCodes.ok;
  await carryOut(context, save);
  await carryOut(context, plan.command('startup'));
  output.say('Done. After another start or stop of instances run this again, as the list is of now.');
  return exitCodes.ok;
}

async function uninstall(context: Context, invocation: ServiceInvocation, plan: ServicePlan): Promise<ExitCode> {
  const steps = [
    `Let ${plan.initSystem} no longer start PM2 with the machine (service ${plan.serviceName}):`,
    `     ${plan.command('unstartup').join(' ')}`,
    'Where the service has started PM2, this stops PM2 and all that it runs; start it again with: ./manage start all',
    `${plan.listFile} stays, and nobody reads it any more.`,
  ];
  if (!(await mayGoOn(context, invocation, steps))) return exitCodes.ok;
  await carryOut(context, plan.command('unstartup'));
  context.output.say('Done.');
  return exitCodes.ok;
}

/** Shows what would be done, and asks. */
async function mayGoOn({ output, prompter }: Context, invocation: ServiceInvocation, steps: readonly string[]) {
  const { dryRun, yes, input } = invocation;
  for (const step of steps) output.print(step);
  if (dryRun || yes) return yes && !dryRun;
  if (prompter === undefined || !input)
    throw new Failure('nothing is done without a yes: say --yes, or run it in a terminal', exitCodes.usage);
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
  if (isEnabled === false) output.say('With the machine nothing starts; ./manage service install changes that.');
  else if (!isCurrent) output.say('What runs is not what was saved; ./manage service install saves it anew.');
  return exitCodes.ok;
}
