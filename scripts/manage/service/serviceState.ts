import { execFile } from 'node:child_process';
import type { Context } from '../context.ts';
import { countNames, listNames, readSavedList } from './savedList.ts';
import type { ServicePlan } from './servicePlan.ts';

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
