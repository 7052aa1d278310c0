import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Question, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';

const withTools = (tools: readonly unknown[], provider = ''): Question =>
  wholeQuestion(`${provider}hostile`, { tools });
const tool = (schema: unknown, name = 'T') => ({ name, description: 'd', input_schema: schema });

/** In every dialect into which schemas are translated. */
const inAllDialects = (...schemas: readonly unknown[]): Pick<Scenario, 'questions' | 'inTurn'> => ({
  questions: schemas.flatMap((schema) =>
    ['', 'openapi,', 'mfjs,'].map((provider) => withTools([tool(schema)], provider)),
  ),
  inTurn: true,
});

const properties = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'string' }]));

/** All branches speak of the same property, each in another way. */
const branches = (keyword: string, count: number) => ({
  type: 'object',
  [keyword]: Array.from({ length: count }, (_, index) => ({ properties: { a: { const: index } } })),
});

/** Each definition refers to the next. */
function chain(length: number): unknown {
  const definitions = Array.from({ length }, (_, index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]);
  const $defs = Object.fromEntries([...definitions, [`d${length}`, { type: 'string' }]]);
  return { type: 'object', properties: { a: { $ref: '#/$defs/d0' } }, $defs };
}

/** Each definition refers several times to the next, so that there are very many when all are put in. */
function bomb(levels: number, width: number): unknown {
  const level = (index: number) => ({
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: width }, (_, place) => [`p${place}`, { $ref: `#/$defs/d${index + 1}` }]),
    ),
  });
  const definitions = Array.from({ length: levels }, (_, index) => [`d${index}`, level(index)]);
  const $defs = Object.fromEntries([...definitions, [`d${levels}`, { type: 'string' }]]);
  return { type: 'object', properties: { a: { $ref: '#/$defs/d0' } }, $defs };
}

function nested(levels: number): unknown {
  let schema: unknown = { type: 'string' };
  for (let level = 0; level < levels; level += 1) schema = { type: 'object', properties: { a: schema } };
  return schema;
}

/** A line of a log is read by a person, and many of them have to fit into LOG_MAX_TOTAL. */
const LONGEST_LINE = 32_768;

function expectShortLines(path: string): void {
  const longest = readFileSync(path, 'utf8')
    .split('\n')
    .reduce((most, { length }) => Math.max(most, length), 0);
  expect(longest, 'the longest line of the log').toBeLessThanOrEqual(LONGEST_LINE);
}

const LONG = 'n'.repeat(6_000_000);

export const toolScenarios: readonly Scenario[] = [
  { name: 'names a tool in 6 MB and gives it no schema', questions: [withTools([{ name: LONG }])] },
  {
    name: 'names two tools alike, in 6 MB each',
    questions: [withTools([tool({ type: 'object' }, LONG), tool({ type: 'object' }, LONG)])],
  },
  {
    name: 'has 100,000 tools without a schema',
    questions: [withTools(Array.from({ length: 100_000 }, (_, index) => ({ name: `tool_${index}` })))],
    holds: async (_answers, stage) => {
      const { log } = await stage.health();
      expectShortLines(log.path);
    },
  },
  {
    name: 'has 2,000 tools with schemas',
    questions: [
      withTools(
        Array.from({ length: 2000 }, (_, index) => tool({ type: 'object', properties: properties(3) }, `t${index}`)),
      ),
    ],
  },
  ...['allOf', 'anyOf', 'oneOf'].map(
    (keyword): Scenario => ({
      name: `has a schema of 6,000 branches at its root (${keyword})`,
      ...inAllDialects(branches(keyword, 6000)),
    }),
  ),
  { name: 'has a chain of 5,000 references', ...inAllDialects(chain(5000)) },
  {
    name: 'has references that multiply',
    ...inAllDialects(bomb(10, 3), bomb(60, 2), bomb(32, 32)),
  },
  {
    name: 'refers to itself',
    ...inAllDialects(
      { $ref: '#' },
      { type: 'object', properties: { a: { $ref: '#/properties/a' } } },
      {
        type: 'object',
        $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
        properties: { a: { $ref: '#/$defs/a' } },
      },
    ),
  },
  { name: 'has a schema of 200 levels', ...inAllDialects(nested(100)) },
  {
    name: 'has a schema of 10,000 properties',
    ...inAllDialects({ type: 'object', properties: properties(10_000) }),
  },
  {
    name: 'has a list of 50,000 values',
    ...inAllDialects({
      type: 'object',
      properties: { a: { enum: Array.from({ length: 50_000 }, (_, index) => `v${index}`) } },
    }),
  },
  {
    name: 'has a pattern and a description of 1 MB each',
    ...inAllDialects({
      type: 'object',
      properties: { a: { type: 'string', pattern: '(a+)+$'.repeat(160_000), description: 'd'.repeat(1_000_000) } },
    }),
  },
  {
    name: 'gives a result of 20 MB',
    questions: () => [
      question('hostile', {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'T', input: {} }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'r'.repeat(20_000_000) }] },
        ],
        tools: [tool({ type: 'object' })],
      }),
    ],
  },
];
