import { asString, isObject, type Json, type JsonObject, parseObject } from '../core/json.ts';
import { type ToolChanges, toolChanges } from '../protocol/anthropic/request.ts';

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

type Message = JsonObject;

function blocksOf({ content }: Message): readonly Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : [];
}

function messagesOf(body: JsonObject): readonly Message[] {
  return Array.isArray(body['messages']) ? body['messages'].filter(isObject) : [];
}

function typeOf(block: Json): unknown {
  return isObject(block) ? block['type'] : undefined;
}

/** Shorter than any signature of Anthropic's that was seen, in letters. */
const SIGNATURE_MIN = 64;

/** Whether a signature may be Anthropic's: base64 of some length. Ours, an empty one and one that was cut are not. */
function maySign(signature: Json | undefined): boolean {
  return (
    typeof signature === 'string' &&
    signature.length >= SIGNATURE_MIN &&
    signature.length % 4 === 0 &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(signature)
  );
}

function isUnverifiable(block: Json): boolean {
  if (!isObject(block)) return false;
  if (block['type'] === 'thinking') return !maySign(block['signature']);
  return block['type'] === 'redacted_thinking' && !maySign(block['data']);
}

/**
 * The request without thinking whose signature cannot be the endpoint's own, as after a change of the provider: it refuses the whole
 * request for one such block. The same object when there is none.
 */
export function dropUnverifiableThinking(body: JsonObject): JsonObject {
  const messages = messagesOf(body);
  if (!messages.some((message) => blocksOf(message).some(isUnverifiable))) return body;
  const kept = messages.flatMap((message) => {
    const blocks = blocksOf(message);
    const verifiable = blocks.filter((block) => !isUnverifiable(block));
    if (verifiable.length === blocks.length) return [message];
    return verifiable.length === 0 ? [] : [{ ...message, content: verifiable }];
  });
  return { ...body, messages: kept };
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function systemText(message: Message): string {
  return blocksOf(message)
    .map((block) => (isObject(block) && block['type'] === 'text' ? (asString(block['text']) ?? '') : ''))
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Whether a request has system messages inside its conversation. */
export function hasSystemMessages(body: JsonObject): boolean {
  return messagesOf(body).some(isSystem);
}

/** The system prompt with more texts behind it. */
function extendSystem(system: Json | undefined, texts: readonly string[]): Json {
  const before = blocksOf({ content: system ?? '' });
  return [...before, ...texts.map((text) => ({ type: 'text', text }))];
}

/** The content of a user message with a text behind its tool results, which must come first, and before all else. */
function insertBehindResults(message: Message, texts: readonly JsonObject[]): Message {
  const blocks = blocksOf(message);
  const end = blocks.findLastIndex((block) => typeOf(block) === 'tool_result') + 1;
  return { ...message, content: [...blocks.slice(0, end), ...texts, ...blocks.slice(end)] };
}

/** The tools with what was added in between at their end, without what was removed, and what was made available as any other tool. */
function applyToolChanges(tools: readonly Json[], { added, removed, found }: ToolChanges): Json[] {
  const isReplaced = (name: string) => removed.has(name) || added.has(name);
  const kept = tools.flatMap((tool) => {
    const name = isObject(tool) ? (asString(tool['name']) ?? '') : '';
    if (!isObject(tool) || !(isReplaced(name) || found.has(name))) return [tool];
    const { defer_loading: _deferred, ...plain } = tool;
    return isReplaced(name) ? [] : [plain];
  });
  return [...kept, ...[...added].flatMap(([name, definition]) => (removed.has(name) ? [] : [definition]))];
}

/**
 * The request with the system messages inside its conversation folded into their neighbours, for endpoints that refuse them or move
 * them to the front: those at the front join the system prompt, any other becomes a reminder at the end of the user message before
 * it, or in the one behind it. What they change of the tools is applied to these. The same object when there is none.
 */
export function foldSystemMessages(body: JsonObject): JsonObject {
  if (!hasSystemMessages(body)) return body;
  const leading: string[] = [];
  const folded: Message[] = [];
  let waiting: JsonObject[] = [];
  for (const message of messagesOf(body)) {
    const last = folded.at(-1);
    if (!isSystem(message)) {
      const isUser = message['role'] === 'user';
      folded.push(isUser && waiting.length > 0 ? insertBehindResults(message, waiting) : message);
      if (isUser) waiting = [];
      continue;
    }
    const text = systemText(message);
    if (text === '') continue;
    const reminder = { type: 'text', text: `<system-reminder>\n${text}\n</system-reminder>` };
    if (last === undefined) leading.push(text);
    else if (last['role'] === 'user') folded[folded.length - 1] = { ...last, content: [...blocksOf(last), reminder] };
    else waiting.push(reminder);
  }
  if (waiting.length > 0) folded.push({ role: 'user', content: waiting });
  const changes = toolChanges(messagesOf(body));
  const tools = applyToolChanges(Array.isArray(body['tools']) ? body['tools'] : [], changes);
  return {
    ...body,
    ...(tools.length > 0 || body['tools'] !== undefined ? { tools } : {}),
    ...(leading.length > 0 ? { system: extendSystem(body['system'], leading) } : {}),
    messages: folded,
  };
}

/** Whether a request holds results of a tool search, or tools that wait for one. */
export function hasToolReferences(body: JsonObject): boolean {
  return messagesOf(body).some((message) =>
    blocksOf(message).some((block) => isObject(block) && blocksOf(block).some(isReference)),
  );
}

function isReference(block: Json): boolean {
  return typeOf(block) === 'tool_reference';
}

/**
 * The request with the results of tool searches as text, for endpoints that know no such blocks: a tool that was found is offered like
 * any other, one that was not found yet is left out. The same object when there is neither.
 */
export function describeToolReferences(body: JsonObject): JsonObject {
  const tools = Array.isArray(body['tools']) ? body['tools'] : [];
  const isDeferred = (tool: Json) => isObject(tool) && tool['defer_loading'] === true;
  if (!hasToolReferences(body) && !tools.some(isDeferred)) return body;
  const found = new Set<string>();
  const describe = (block: Json): Json => {
    if (!isObject(block) || block['type'] !== 'tool_reference') return block;
    const name = asString(block['tool_name']) ?? '';
    found.add(name);
    return { type: 'text', text: `Tool ${name} is now available.` };
  };
  const describeResult = (block: Json): Json => {
    if (!isObject(block) || !blocksOf(block).some(isReference)) return block;
    return { ...block, content: blocksOf(block).map(describe) };
  };
  const messages = messagesOf(body).map((message) => {
    if (typeof message['content'] === 'string') return message;
    return { ...message, content: blocksOf(message).map(describeResult) };
  });
  const offered = tools.flatMap((tool) => {
    if (!isObject(tool) || tool['defer_loading'] !== true) return [tool];
    const { defer_loading: _deferred, ...plain } = tool;
    return found.has(asString(tool['name']) ?? '') ? [plain] : [];
  });
  return { ...body, messages, ...(tools.length > 0 ? { tools: offered } : {}) };
}

/** The request with thinking between tool calls turned off, where that is not known. The same object when it does not ask for it. */
export function turnOffThinkingBetweenTools(body: JsonObject): JsonObject {
  const { thinking } = body;
  if (!isObject(thinking) || thinking['type'] !== 'between_tools') return body;
  return { ...body, thinking: { type: 'disabled' } };
}
