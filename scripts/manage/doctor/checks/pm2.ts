import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readCommand } from '../../../../src/host/ports.ts';
import { executablePath } from '../../../build/stamp.ts';
import type { Pm2Row } from '../../pm2.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'PM2';

/** Whether PM2 answers, is the version that it should be, and what else it looks after. */
export async function checkPm2({ root, pm2, environment }: Subject): Promise<Finding[]> {
  if (pm2 instanceof Error) return [fail(CHECK, pm2.message, { remedy: 'npm ci; if it hangs: ./manage pm2 kill' })];
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
    return [warn(CHECK, 'is not installed here; the one on PATH is used', { remedy: 'npm ci' })];
  if (installed === dependencies.pm2) return [];
  return [
    warn(CHECK, `version ${installed} is installed, package.json wants ${dependencies.pm2}`, { remedy: 'npm ci' }),
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
  if (running === undefined) return ok(CHECK, `${installed ?? ''} no daemon runs; ./manage start makes one`.trim());
  if (installed === undefined || running === installed) return ok(CHECK, `${running}, its daemon runs`);
  return warn(CHECK, `the daemon is version ${running}, installed is ${installed}`, {
    remedy: './manage pm2 update (restarts everything that PM2 runs)',
  });
}

function describeOtherApps(root: string, rows: readonly Pm2Row[]): Finding[] {
  const others = rows.filter(({ executable }) => executable !== executablePath(root)).map(({ name }) => name);
  return others.length === 0
    ? []
    : [ok(CHECK, `also runs what is not of this project, and is left alone: ${others.join(', ')}`)];
}
