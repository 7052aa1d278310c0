import { readCommand } from '../../src/host/portHolder.ts';
import { askPort, type PortAnswer } from './health.ts';
import { envFile, type Instance } from './instances.ts';
import type { Pm2Row } from './pm2.ts';
import { isCommandOf } from './processes.ts';

/** What PM2 and the port say of one instance at one moment. */
export interface Observation {
  readonly instance: Instance;
  /** PM2's row of this instance. */
  readonly row: Pm2Row | undefined;
  /** A row of the same name that belongs to something else: another project, or another copy of this one. */
  readonly rival: Pm2Row | undefined;
  /** Undefined when the configuration is wrong, so that there is no port to ask. */
  readonly answer: PortAnswer | undefined;
  /** Whether the process that answers under the instance's name is this project's: PM2 runs it, or its command proves it. */
  readonly isOurs: boolean;
}

/** Whether PM2 runs our binary with this instance's env file under this row. A name alone proves nothing. */
export function isRowOf(row: Pm2Row, instance: Instance): boolean {
  return row.name === instance.name && row.executable === instance.app.script && row.args.includes(envFile(instance));
}

/** Puts PM2's rows beside what the ports answer; all ports are asked at the same time. */
export async function observe(rows: readonly Pm2Row[], instances: readonly Instance[]): Promise<Observation[]> {
  return Promise.all(
    instances.map(async (instance) => {
      const row = rows.find((candidate) => isRowOf(candidate, instance));
      const rival = rows.find((candidate) => candidate.name === instance.name && !isRowOf(candidate, instance));
      const { config } = instance;
      const answer = config && (await askPort(config.host, config.port));
      return { instance, row, rival, answer, isOurs: await isAnswerOurs(instance, row, answer) };
    }),
  );
}

async function isAnswerOurs({ name, app }: Instance, row: Pm2Row | undefined, answer: PortAnswer | undefined) {
  if (answer?.kind !== 'instance' || answer.health.instance !== name) return false;
  return answer.health.pid === row?.pid || isCommandOf(await readCommand(answer.health.pid), app);
}
