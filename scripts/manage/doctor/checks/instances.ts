import { asString, isObject } from '../../../../src/core/json.ts';
import { describeReload } from '../../describeReload.ts';
import { addressOf, findRemark } from '../../explain.ts';
import type { Health } from '../../health.ts';
import { isSound } from '../../instances.ts';
import type { Observation } from '../../observe.ts';
import { providerMarks } from '../../providerMarks.ts';
import { hasOlderSettings, judge } from '../../state.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'instance';

/** Whether each instance is what answers on its port, and how it fares by its own account. */
export async function checkInstances({ observations }: Subject): Promise<Finding[]> {
  return (await Promise.all(observations.map(checkInstance))).flat();
}

async function checkInstance(observation: Observation): Promise<Finding[]> {
  const { instance, answer, isOurs, row } = observation;
  const { name } = instance;
  const state = judge(observation);
  const restart = { instance: name, remedy: `./manage restart ${name}` };
  const said = (await findRemark(observation, state))?.what ?? state;
  switch (state) {
    case 'port taken':
      return [fail(CHECK, said, { instance: name, remedy: `end that program, or change PORT: ./manage edit ${name}` })];
    case 'name taken':
      return [fail(CHECK, said, { instance: name, remedy: `mv envs/${name}.env envs/ANOTHER.env` })];
    case 'not answering':
      return [fail(CHECK, `takes connections on ${addressOf(instance)} and does not answer`, restart)];
    case 'backing off':
      return [fail(CHECK, endsAgain(name, row?.restarts ?? 0), restart)];
    case 'failed':
      if (!isSound(instance)) return []; // the env file is told already
      return [
        fail(
          CHECK,
          `has ended with exit status ${row?.exitCode ?? 'unknown'}; logs/${name}/console.log says why`,
          restart,
        ),
      ];
    case 'unsupervised':
      return [
        warn(CHECK, `runs on ${addressOf(instance)}, but PM2 does not know it`, {
          instance: name,
          remedy: `./manage start ${name}`,
        }),
      ];
    default:
  }
  // One that crashes is seen as often between two attempts as in one.
  if (state === 'starting' && row !== undefined && row.restarts > 0)
    return [fail(CHECK, endsAgain(name, row.restarts), restart)];
  const news = describeReload(observation);
  if (news !== undefined) {
    const remedy = `./manage ${news.remedy === undefined ? 'edit' : 'reload'} ${name}`;
    return [warn(CHECK, news.what, { instance: name, remedy })];
  }
  if (hasOlderSettings(observation)) {
    return [
      warn(CHECK, `runs with older settings than envs/${name}.env holds`, {
        instance: name,
        remedy: `./manage reload ${name}`,
      }),
    ];
  }
  const health = answer?.kind === 'instance' && isOurs ? answer.health : undefined;
  if (health === undefined) return [ok(CHECK, state, name)];
  const troubles = troublesOf(health).map((detail) =>
    warn(CHECK, detail, { instance: name, remedy: `./manage logs ${name} --errors` }),
  );
  return [ok(CHECK, `${state} on ${addressOf(instance)}, pid ${health.pid}`, name), ...troubles];
}

function endsAgain(name: string, restarts: number): string {
  return `ends again and again (${restarts} times); logs/${name}/console.log says why`;
}

/** What an instance says of itself that is not as it should be. */
function troublesOf(health: Health): string[] {
  const marks = providerMarks(health);
  return [
    ...(marks === '' ? [] : [`does not ask its provider as usual: ${marks}`]),
    ...(['log', 'usage'] as const).flatMap((part) => {
      const figures = health.body[part];
      if (!isObject(figures) || figures['healthy'] !== false) return [];
      return [`its ${part} cannot be written: ${asString(figures['last_error']) ?? 'reason unknown'}`];
    }),
  ];
}
