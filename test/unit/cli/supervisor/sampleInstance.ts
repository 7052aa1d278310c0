import { join } from 'node:path';
import { parseHealth } from '../../../../src/cli/supervisor/health.ts';
import type { Inspection } from '../../../../src/cli/supervisor/inspect.ts';
import type { Instance } from '../../../../src/cli/supervisor/instances.ts';
import type { Pm2Row } from '../../../../src/cli/supervisor/pm2.ts';
import { configFromText } from '../../../../src/config/load.ts';

export const ROOT = '/srv/proxy';

/** An instance as it comes out of envs/NAME.env; without text it listens on port 8081 for the demo provider. */
export function sampleInstance(name: string, text = 'PROVIDER=demo\nPORT=8081\n'): Instance {
  const file = join(ROOT, 'envs', `${name}.env`);
  const { config, problems } = configFromText(`envs/${name}.env`, text, {}, ROOT);
  const app = {
    script: join(ROOT, 'dist', 'claude-code-proxy'),
    args: ['--env', file],
    env: {},
    out_file: join(ROOT, 'logs', name, 'console.log'),
    kill_timeout: 1000,
    listen_timeout: 1000,
  } as const;
  return { name, app, config, problems };
}

export function sampleRow(instance: Instance, changes: Partial<Pm2Row> = {}): Pm2Row {
  const { name, app } = instance;
  const { script: executable, args, kill_timeout: killTimeout } = app;
  const state = { status: 'online', pid: 100, exitCode: undefined, restarts: 0 };
  const placement = { namespace: 'claude-code-proxy', directory: ROOT };
  return { id: 3, name, ...placement, ...state, killTimeout, executable, args, ...changes };
}

/** What is found of an instance that nobody runs. */
export function sampleInspection(changes: Partial<Inspection> = {}): Inspection {
  const instance = sampleInstance('kimi');
  const nothing = {
    row: undefined,
    movedFrom: undefined,
    otherUser: undefined,
    unit: undefined,
    answer: { kind: 'closed' },
    isOurs: false,
    workers: [],
  } as const;
  return { instance, ...nothing, ...changes };
}

/** What an instance that serves answers, with these fields of its health report. */
export function sampleAnswer(changes: Record<string, unknown> = {}) {
  const report = { service: 'claude-code-proxy', instance: 'kimi', pid: 100, shares_port: true, ...changes };
  const health = parseHealth(JSON.stringify(report));
  if (health === undefined) throw new Error('the sample is no health report');
  return { kind: 'instance', health } as const;
}
