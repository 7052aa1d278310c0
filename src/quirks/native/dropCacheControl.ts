import { isObject, type Json, type JsonObject } from '../../core/json.ts';

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
