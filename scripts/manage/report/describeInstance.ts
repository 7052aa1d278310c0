import { join } from 'node:path';
import { describeConfig, formatProblems } from '../../../src/config/describe.ts';
import { isObject, type JsonObject } from '../../../src/core/json.ts';
import { explain } from '../explain.ts';
import type { Observation } from '../observe.ts';
import { judge } from '../state.ts';
import { readLastErrors } from './lastErrors.ts';

/** What /health says, without the words of the last error, which may be a provider's. */
function describeHealth({ answer }: Observation): JsonObject | null {
  if (answer?.kind !== 'instance') return null;
  const { last_error: lastError, ...body } = answer.health.body;
  if (!isObject(lastError)) return body;
  const { message: _, ...error } = lastError;
  return { ...body, last_error: error };
}

/** All that a report tells of an instance. */
export async function describeInstance(root: string, observation: Observation): Promise<JsonObject> {
  const { instance, row, rival } = observation;
  const { name, config, problems } = instance;
  const state = judge(observation);
  const pm2 = row ?? rival;
  return {
    name,
    state,
    remark: (await explain(observation, state)) ?? null,
    problems: problems.length === 0 ? [] : formatProblems(problems).split('\n'),
    configuration: config === undefined ? [] : [...describeConfig(config)],
    pm2:
      pm2 === undefined
        ? null
        : {
            id: pm2.id,
            status: pm2.status,
            pid: pm2.pid,
            restarts: pm2.restarts,
            exit_code: pm2.exitCode ?? null,
            executable: pm2.executable,
          },
    health: describeHealth(observation),
    last_errors: await readLastErrors(config?.logs.directory ?? join(root, 'logs'), name),
  };
}
