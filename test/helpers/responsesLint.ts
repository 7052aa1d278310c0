import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, parseObject } from '../../src/core/json.ts';
import type { ReceivedRequest } from './fakeUpstream.ts';
import { boundTo, inputOf } from './responsesTurn.ts';

type Body = ReceivedRequest['body'];

const FIELDS = [
  ...['model', 'instructions', 'input', 'tools', 'tool_choice', 'parallel_tool_calls', 'reasoning', 'text'],
  ...['max_output_tokens', 'temperature', 'top_p', 'prompt_cache_key', 'safety_identifier', 'service_tier', 'store'],
  ...['include', 'stream', 'stream_options'],
];
const ITEM_FIELDS: Readonly<Record<string, readonly string[]>> = {
  message: ['type', 'role', 'content', 'phase'],
  reasoning: ['type', 'summary', 'encrypted_content'],
  function_call: ['type', 'call_id', 'name', 'arguments'],
  function_call_output: ['type', 'call_id', 'output'],
};
const INPUT_PARTS = ['input_text', 'input_image', 'input_file'];
const PARTS: Readonly<Record<string, readonly string[]>> = {
  assistant: ['output_text'],
  user: INPUT_PARTS,
  developer: INPUT_PARTS,
};
const TOOL_FIELDS = ['type', 'name', 'description', 'parameters', 'strict'];
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_CALL_ID = 64;

/** What OpenAI's Responses API would refuse in a request, in its own words where these are known; empty when it is sound. */
export function lintResponses(body: Body): string[] {
  const { store, include } = body;
  const items = inputOf({ body });
  return [
    ...others(body, FIELDS).map((name) => `Unknown parameter: '${name}'.`),
    ...(store === false ? [] : ['store is not false']),
    ...(include === undefined || isDeepStrictEqual(include, ['reasoning.encrypted_content']) ? [] : ['include']),
    ...(body['stream_options'] === undefined || body['stream'] === true ? [] : ['stream_options without stream']),
    ...(items.length === 0 ? ['no input'] : []),
    ...lintTools(body),
    ...items.flatMap(lintItem),
    ...lintCalls(items),
    ...lintReasoning(items),
  ];
}

const others = (value: object, known: readonly string[]) => Object.keys(value).filter((name) => !known.includes(name));
const kindOf = (item: JsonObject) => String(item['type'] ?? (item['role'] === undefined ? undefined : 'message'));

function lintTools({ tools, tool_choice: choice }: Body): string[] {
  if (tools === undefined) return choice === undefined ? [] : ['tool_choice without tools'];
  if (!Array.isArray(tools) || tools.length === 0) return ['tools is empty'];
  const names = tools.map(({ name }) => name);
  return [
    ...(new Set(names).size < names.length ? ['two tools of one name'] : []),
    ...(isObject(choice) && !names.includes(choice['name']) ? ['chosen tool is absent'] : []),
    ...tools.flatMap((tool: JsonObject) => {
      const { type, name, parameters, strict } = tool;
      const isSchema = isObject(parameters) && parameters['type'] === 'object';
      return [
        ...others(tool, TOOL_FIELDS).map((field) => `Unknown parameter: 'tools.${field}'.`),
        ...(type === 'function' && NAME.test(String(name)) ? [] : [`tool ${name} of type ${type}`]),
        ...(strict === false ? [] : [`tool ${name}: without strict=false its schema is made strict`]),
        ...(isSchema ? [] : [`Invalid schema for function '${name}'`]),
      ];
    }),
  ];
}

function lintItem(item: JsonObject, index: number): string[] {
  const at = `input[${index}]`;
  const known = ITEM_FIELDS[kindOf(item)];
  if (known === undefined) return [`${at}: an item of type ${kindOf(item)}`];
  const strange = others(item, known).map((field) => `Unknown parameter: '${at}.${field}'.`);
  if (kindOf(item) !== 'message') return strange;
  const { role, content, phase } = item;
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  const allowed = PARTS[String(role)] ?? [];
  return [
    ...strange,
    ...(parts.length > 0 ? [] : [`${at}: no content`]),
    ...(phase === undefined || role === 'assistant' ? [] : [`Unknown parameter: '${at}.phase'.`]),
    ...parts
      .filter(({ type }) => !allowed.includes(String(type)))
      .map(({ type }) => `${at}: Invalid value: '${type}'.`),
    ...parts.filter(({ text }) => text === '').map(() => `${at}: empty text`),
  ];
}

/** Each call has one result, behind it and before anybody else speaks. */
function lintCalls(items: readonly JsonObject[]): string[] {
  const problems: string[] = [];
  const open = new Set<unknown>();
  const seen = new Set<unknown>();
  for (const item of items) {
    const { call_id: id, arguments: text } = item;
    const kind = kindOf(item);
    if (kind === 'function_call') {
      if (typeof id !== 'string' || id === '' || id.length > MAX_CALL_ID) problems.push(`call_id ${id}`);
      if (seen.has(id)) problems.push(`two calls with call_id ${id}`);
      if (parseObject(String(text)) === undefined) problems.push(`arguments ${text}`);
      open.add(id);
      seen.add(id);
    } else if (kind === 'function_call_output') {
      if (!open.delete(id)) problems.push(`No tool call found for function call output with call_id ${id}.`);
    } else if (kind === 'message' && item['role'] !== 'assistant' && open.size > 0) {
      problems.push(`${item['role']} between calls and their outputs`);
    }
  }
  return [...problems, ...[...open].map((id) => `No tool output found for function call ${id}.`)];
}

/** Each item of reasoning says what it was and what it belongs to. */
function lintReasoning(items: readonly JsonObject[]): string[] {
  return items.flatMap((item, index) => {
    if (kindOf(item) !== 'reasoning') return [];
    const { summary, encrypted_content: encrypted } = item;
    const sealed = parseObject(Buffer.from(String(encrypted), 'base64').toString());
    const next = items[index + 1];
    if (sealed === undefined || !isDeepStrictEqual(sealed['summary'], summary)) {
      return [`input[${index}]: The encrypted content could not be verified.`];
    }
    return sealed['next'] === boundTo(next)
      ? []
      : [
          `input[${index}]: Item of type 'reasoning' was provided without its required following item (${boundTo(next)}).`,
        ];
  });
}
