import { isObject, type Json, type JsonObject, parseObject } from '../../core/json.ts';

/** Keys under which input was seen to be wrapped, beside the tool's own name. */
const WRAPPERS = ['result', 'arguments'];

function asInput(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'string' ? parseObject(value) : isObject(value) ? value : undefined;
}

function parametersOf(tool: JsonObject): ReadonlySet<string> {
  const schema = tool['input_schema'];
  const properties = isObject(schema) ? schema['properties'] : undefined;
  return new Set(isObject(properties) ? Object.keys(properties) : []);
}

/** Gives the input that was meant; the same value when it is as it should be. */
export type ToolInputRepair = (name: string, input: Json) => Json;

/**
 * A repair for tool input that comes as JSON text, or wrapped in an object whose only key is `result`, `arguments` or the tool's
 * name. A key that the tool knows as its own parameter is never a wrapper.
 * @param tools those of the request
 */
export function createToolInputRepair(tools: Json | undefined): ToolInputRepair {
  const parameters = new Map(
    (Array.isArray(tools) ? tools : []).filter(isObject).map((tool) => [tool['name'], parametersOf(tool)] as const),
  );
  const unwrap = (name: string, input: JsonObject): JsonObject => {
    const [key, ...others] = Object.keys(input);
    if (key === undefined || others.length > 0 || parameters.get(name)?.has(key) === true) return input;
    const inner = key === name || WRAPPERS.includes(key) ? asInput(input[key]) : undefined;
    return inner === undefined ? input : unwrap(name, inner);
  };
  return (name, input) => {
    const object = asInput(input);
    return object === undefined ? input : unwrap(name, object);
  };
}
