import { asString, isObject, type JsonObject } from '../core/json.ts';
import { removeAttribution } from './systemPrompt.ts';
import { addText, type TokenParts } from './textTokens.ts';

/** Tokens around each message. */
export const PER_MESSAGE = 4;
const PER_IMAGE = 1600;
/** A page of a PDF has about this many bytes per token; at least one page is counted. */
const PDF_BYTES_PER_TOKEN = 40;
const PER_PDF_PAGE = 2000;

/** Fields that the provider never gets to see, or that say nothing to the model. */
const SILENT_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'cache_control',
  'signature',
  'data',
  'provider_fields',
  'extra_content',
]);

/** Adds the estimated tokens of a message's or the system prompt's content, every kind of block included (R502). */
export function addContent(parts: TokenParts, content: unknown): void {
  if (typeof content === 'string') addText(parts, removeAttribution(content));
  if (!Array.isArray(content)) return;
  for (const block of content) {
    if (isObject(block)) addBlock(parts, block);
    else addContent(parts, block);
  }
}

function addBlock(parts: TokenParts, block: JsonObject): void {
  switch (block['type']) {
    case 'text':
      addContent(parts, block['text']);
      break;
    case 'image':
      parts.rest += PER_IMAGE;
      break;
    case 'document':
      addDocument(parts, block['source']);
      break;
    case 'tool_result':
      parts.rest += PER_MESSAGE;
      addContent(parts, block['content']);
      break;
    default:
      addValue(parts, block);
  }
}

function addDocument(parts: TokenParts, source: unknown): void {
  if (!isObject(source)) return;
  const data = asString(source['data']) ?? '';
  if (source['type'] === 'content') addContent(parts, source['content']);
  else if (source['type'] === 'text') addText(parts, data);
  else parts.rest += Math.max(PER_PDF_PAGE, (data.length * 3) / 4 / PDF_BYTES_PER_TOKEN);
}

/** Adds the estimated tokens of a tool's definition, which reaches the model as JSON. */
export function addTool(parts: TokenParts, tool: unknown): void {
  parts.rest += PER_MESSAGE;
  addValue(parts, tool);
}

/** A JSON value as the model reads it: its strings, its names and its punctuation. */
function addValue(parts: TokenParts, value: unknown): void {
  if (typeof value === 'string') {
    parts.rest += 1;
    addText(parts, value);
  } else if (typeof value !== 'object' || value === null) {
    parts.rest += 2;
  } else if (Array.isArray(value)) {
    parts.rest += 1;
    for (const child of value) addValue(parts, child);
  } else {
    parts.rest += 1;
    for (const [key, child] of Object.entries(value)) {
      if (SILENT_FIELDS.has(key) && typeof child !== 'object') continue;
      parts.rest += 1;
      addText(parts, key);
      addValue(parts, child);
    }
  }
}
