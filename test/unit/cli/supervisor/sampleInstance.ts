import { join } from 'node:path';
import type { Instance } from '../../../../src/cli/supervisor/instances.ts';
import type { Observation } from '../../../../src/cli/supervisor/observe.ts';
import type { Pm2Row } from '../../../../src/cli/supervisor/pm2.ts';
import { configFromText } from '../../../../src/config/load.ts';

export const ROOT = '/srv/proxy';

/** An instance as it comes out of envs/NAME.env; without text it listens on port 8081 for the demo provider. */
export function sampleInstance(name: string, text = 'PROVIDER=demo\nPORT=8081\n'): Instance {
  const file = join(ROOT, 'envs', `${name}.env`);
  const { config, problems } = configFromText(`envs/${name}.env`, text, {}, ROOT);
  const app = {
    name,
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
  return { id: 3, name, ...state, killTimeout, executable, args, ...changes };
}

/** What is observed of an instance that nobody runs. */
export function sampleObservation(changes: Partial<Observation> = {}): Observation {
  const instance = sampleInstance('kimi');
  const nothing = { row: undefined, rival: undefined, answer: { kind: 'silent' }, isOurs: false, parts: [] } as const;
  return { instance, ...nothing, ...changes };
}

export function sampleAnswer(changes: Record<string, unknown> = {}) {
  const body = { service: 'claude-code-proxy', instance: 'kimi', pid: 100, state: 'serving', ...changes };
  const state: 'serving' | 'draining' = body.state === 'draining' ? 'draining' : 'serving';
  const { instance, pid } = body;
  return { kind: 'instance', health: { instance, pid, state, configHash: undefined, sharesPort: true, body } } as const;
}
