import { words } from './prose.ts';
import { pick, type Random } from './random.ts';

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly input_schema: object;
}

const FIRST_NAMES = ['Bash', 'Read', 'Edit', 'Write', 'Glob', 'Grep', 'Task', 'TodoWrite', 'WebFetch', 'NotebookEdit'];

const todoItems = {
  type: 'object',
  properties: {
    content: { type: 'string', minLength: 1 },
    status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] },
    parent: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
  required: ['content', 'status'],
  additionalProperties: false,
};

function property(random: Random): object {
  const description = words(random, 6 + Math.floor(random() * 12));
  return pick<object>(random, [
    { type: 'string', description },
    { type: 'string', format: 'uri', description },
    { type: 'string', enum: ['content', 'files', 'count'], description },
    { type: 'number', minimum: 0, maximum: 600_000, description },
    { type: 'boolean', default: false, description },
    { type: 'array', minItems: 1, items: todoItems, description },
  ]);
}

/** Tools like those of Claude Code and a few servers beside it. */
export function createTools(random: Random, count: number): ToolDefinition[] {
  return Array.from({ length: count }, (_, index) => {
    const names = Array.from({ length: 3 + Math.floor(random() * 4) }, (_, place) => `${words(random, 1)}_${place}`);
    return {
      name: FIRST_NAMES[index] ?? `mcp__server${index % 5}__tool_${index}`,
      description: words(random, 50 + Math.floor(random() * 130)),
      input_schema: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: Object.fromEntries(names.map((name) => [name, property(random)])),
        required: names.slice(0, 2),
        additionalProperties: false,
      },
    };
  });
}
