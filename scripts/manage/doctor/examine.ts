import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { callerDirectory } from '../callerDirectory.ts';
import type { Context } from '../context.ts';
import { loadInstances, selectInstances } from '../instances.ts';
import { observe } from '../observe.ts';
import { type Stock, takeStock } from '../stock.ts';
import { checkClaudeSettings } from './checks/claudeSettings.ts';
import { checkClock } from './checks/clock.ts';
import { checkDisk } from './checks/disk.ts';
import { checkEnvFiles } from './checks/envFiles.ts';
import { checkExecutable } from './checks/executable.ts';
import { checkFolders } from './checks/folders.ts';
import { checkInstances } from './checks/instances.ts';
import { checkLocks } from './checks/locks.ts';
import { checkPm2 } from './checks/pm2.ts';
import { checkProvider } from './checks/provider.ts';
import { checkRuntime } from './checks/runtime.ts';
import { checkShell } from './checks/shell.ts';
import { findStrays } from './checks/strays.ts';
import type { Finding } from './finding.ts';
import type { Subject } from './subject.ts';

type Check = (subject: Subject) => readonly Finding[] | Promise<readonly Finding[]>;

/** In the order in which they are told: what others rest on comes first. */
const checks: readonly Check[] = [
  checkRuntime,
  checkExecutable,
  checkFolders,
  checkLocks,
  checkDisk,
  checkEnvFiles,
  checkPm2,
  checkInstances,
  findStrays,
  checkShell,
  checkClaudeSettings,
];

const onlineChecks: readonly Check[] = [
  async ({ observations }) => (await Promise.all(observations.map(checkProvider))).flat(),
  ({ observations }) => checkClock(observations.flatMap(({ instance: { config } }) => config ?? [])),
];

/**
 * Looks at this machine and the named instances; with `online` at their providers, too. Changes nothing.
 * @throws Failure (usage) when a name is unknown.
 */
export async function examine(context: Context, names: readonly string[], online: boolean): Promise<Finding[]> {
  const subject = await describeSubject(context, names);
  const found = await Promise.all([...checks, ...(online ? onlineChecks : [])].map((check) => check(subject)));
  return found.flat();
}

async function describeSubject(context: Context, names: readonly string[]): Promise<Subject> {
  const { root, environment } = context;
  const { rows, instances } = await takeStockIfPossible(context);
  const known = rows instanceof Error ? [] : rows;
  return {
    root,
    environment,
    directory: callerDirectory(environment),
    all: instances,
    observations: await observe(known, selectInstances(root, instances, names)),
    pm2: rows,
    now: Date.now(),
  };
}

/** Stock is taken of what there is, as the doctor is called when something is missing. */
async function takeStockIfPossible(context: Context): Promise<Pick<Stock, 'instances'> & { rows: Subject['pm2'] }> {
  const hasEnvs = existsSync(join(context.root, 'envs'));
  try {
    return hasEnvs ? await takeStock(context) : { rows: await context.pm2.list(), instances: [] };
  } catch (error) {
    const rows = error instanceof Error ? error : new Error(String(error));
    return { rows, instances: hasEnvs ? loadInstances(context.root) : [] };
  }
}
