import { isObject, type Json, type JsonObject, parseObject } from '../core/json.ts';

type Field = Json | undefined;

/** The list with the blocks changed; the same one when no block is. */
function mapBlocks(list: Field, change: (block: JsonObject) => JsonObject): Field {
  if (!Array.isArray(list)) return list;
  const changed = list.map((block) => (isObject(block) ? change(block) : block));
  return changed.some((block, index) => block !== list[index]) ? changed : list;
}

function withoutMark(block: JsonObject): JsonObject {
  const { cache_control: mark, ...rest } = block;
  return mark === undefined ? block : rest;
}

/** A block, and those inside a tool result; never a tool's input or schema, where the word would be the user's own. */
function cleanBlock(block: JsonObject): JsonObject {
  const clean = withoutMark(block);
  const content = mapBlocks(clean['content'], withoutMark);
  return content === clean['content'] ? clean : { ...clean, content };
}

function cleanMessage(message: JsonObject): JsonObject {
  const content = mapBlocks(message['content'], cleanBlock);
  return content === message['content'] ? message : { ...message, content };
}

/** The request without cache breakpoints; the same object when it has none. */
export function dropCacheControl(body: JsonObject): JsonObject {
  const clean = withoutMark(body);
  const fields = {
    system: mapBlocks(clean['system'], withoutMark),
    tools: mapBlocks(clean['tools'], withoutMark),
    messages: mapBlocks(clean['messages'], cleanMessage),
  };
  const changed = Object.entries(fields).filter(([name, value]) => value !== clean[name]);
  return changed.length === 0 ? clean : { ...clean, ...Object.fromEntries(changed) };
}

/** The request without an effort beside disabled thinking, which some refuse; the same object when there is none. */
export function dropUnusedEffort(body: JsonObject): JsonObject {
  const { thinking, output_config: outputConfig, ...rest } = body;
  if (!isObject(thinking) || thinking['type'] !== 'disabled') return body;
  if (!isObject(outputConfig) || outputConfig['effort'] === undefined) return body;
  const { effort: _effort, ...others } = outputConfig;
  return { ...rest, thinking, ...(Object.keys(others).length === 0 ? {} : { output_config: others }) };
}

const THINKING: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function lacksThinking(message: Json): message is JsonObject & { content: Json[] } {
  if (!isObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content'])) return false;
  const types = message['content'].map((block) => (isObject(block) ? block['type'] : undefined));
  return types.includes('tool_use') && !types.some((type) => THINKING.has(type));
}

/**
 * The request with a thinking block before every tool turn that lacks one, where thinking is not turned off: some refuse a tool
 * turn without. The same object when nothing lacks.
 * @param text what stands in for the thoughts that are lost
 */
export function requireThinking(body: JsonObject, text: string): JsonObject {
  const { thinking, messages } = body;
  if ((isObject(thinking) && thinking['type'] === 'disabled') || !Array.isArray(messages)) return body;
  if (!messages.some(lacksThinking)) return body;
  const block = { type: 'thinking', thinking: text, signature: '' };
  return {
    ...body,
    messages: messages.map((message) =>
      lacksThinking(message) ? { ...message, content: [block, ...message.content] } : message,
    ),
  };
}

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
