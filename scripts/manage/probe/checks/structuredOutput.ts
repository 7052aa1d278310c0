import { parseObject } from '../../../../src/core/json.ts';
import { askFor, type FullCheck } from '../fullCheck.ts';
import type { Subject } from '../subject.ts';
import { fail, failOf, ok, quirk, said } from '../verdict.ts';

const SCHEMA = {
  type: 'object',
  properties: { animal: { type: 'string', enum: ['cat', 'dog'] }, legs: { type: 'integer' } },
  required: ['animal', 'legs'],
  additionalProperties: false,
};

/** The next weaker form of structured output. */
function weaker({ settings }: Subject): string {
  return quirk('jsonMode', settings.jsonMode === 'schema' ? 'object' : 'none');
}

/** An answer in JSON that fits a schema. */
export const structuredOutput: FullCheck = {
  name: 'structured output',
  skip: ({ settings }) => (settings.jsonMode === 'none' ? 'the provider has none' : undefined),
  turns: [
    () =>
      askFor('A cat has four legs. Write it as JSON.', {
        output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      }),
  ],
  judge: (answer, _last, subject) => {
    if (answer.error !== undefined) {
      const isRefused = /structured|json|response_format/i.test(answer.error.message);
      return isRefused ? failOf(answer.error, weaker(subject)) : failOf(answer.error);
    }
    const { animal, legs } = parseObject(answer.text) ?? {};
    const fits = SCHEMA.properties.animal.enum.includes(String(animal)) && Number.isInteger(legs);
    return fits ? ok('fits the schema') : fail(`does not fit the schema: ${said(answer)}`, weaker(subject));
  },
};
