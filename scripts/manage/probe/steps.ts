import type { Config } from '../../../src/config/config.ts';
import { endpointOf, modelSettings } from '../../../src/config/modelRef.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Tiers } from '../../../src/providers/preset.ts';
import type { Answer } from './answer.ts';
import { judgeKey, judgeModel, judgeStream } from './basicVerdicts.ts';
import { fullChecks } from './checks/fullChecks.ts';
import { askFor } from './fullCheck.ts';
import { type Row, row } from './row.ts';
import { runFullCheck } from './runFullCheck.ts';
import { skipped } from './verdict.ts';

/** One check that asks the provider; the name is there before it is made, so that it can be skipped. */
export interface Step {
  readonly check: string;
  run(): Promise<Row>;
}

export type AskModel = (model: string, fields: JsonObject) => Promise<Answer>;

const SPEED_REQUEST = askFor('Count from 1 to 40, only the numbers, with spaces between them.', { max_tokens: 1000 });
const MODEL_REQUEST = askFor('Answer with one word: ready', { max_tokens: 1 });

/** The models of an instance and the tiers that each serves, as in `big, middle`; the big one first. */
export function distinctModels(tiers: Tiers): { readonly model: string; readonly serves: string }[] {
  const names = ['big', 'middle', 'small'] as const;
  return [...new Set(names.map((name) => tiers[name]))].map((model) => ({
    model,
    serves: names.filter((name) => tiers[name] === model).join(', '),
  }));
}

/**
 * The checks in their order. One answer of the big model tells of the key, of that model and of the speed; each further model
 * is asked for one token.
 * @param key where the key comes from, in words
 */
export function planSteps(config: Config, key: string, full: boolean, ask: AskModel): Step[] {
  const { tiers, limits } = config;
  const { big } = tiers;
  const { provider, model: servedModel } = endpointOf(config, big);
  let firstAnswer: Promise<Answer> | undefined;
  const first = () => {
    firstAnswer ??= ask(big, SPEED_REQUEST);
    return firstAnswer;
  };
  const ofFirst = (check: string, judge: (answer: Answer) => ReturnType<typeof judgeStream>): Step => ({
    check,
    run: async () => {
      const answer = await first();
      return row(check, judge(answer), answer.totalMs);
    },
  });
  const models = distinctModels(tiers).map(({ model, serves }): Step => {
    const check = `model ${model}`;
    if (model === big) return ofFirst(check, (answer) => judgeModel(answer, serves));
    const run = async () => {
      const answer = await ask(model, MODEL_REQUEST);
      return row(check, judgeModel(answer, serves), answer.totalMs);
    };
    return { check, run };
  });
  const subject = {
    settings: modelSettings(provider, servedModel),
    maxBodyBytes: limits.maxBodyBytes,
    isLocal: provider.preset.keyOptional === true,
  };
  const further = fullChecks.map((fullCheck): Step => {
    const check = fullCheck.name;
    const run = async () => {
      if ((await first()).error !== undefined) return row(check, skipped('the model does not answer'));
      return runFullCheck(fullCheck, subject, (fields) => ask(big, fields));
    };
    return { check, run };
  });
  return [
    ofFirst('key', (answer) => judgeKey(answer, key)),
    ...models,
    ofFirst('stream', judgeStream),
    ...(full ? further : []),
  ];
}
