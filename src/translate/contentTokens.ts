import { asString, isObject } from '../core/json.ts';
import { removeAttribution } from './systemPrompt.ts';
import { textTokens } from './textTokens.ts';

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

/** Estimated tokens of a message's or the system prompt's content, every kind of block included (R502). */
export function contentTokens(content: unknown): number {
  if (typeof content === 'string') return textTokens(removeAttribution(content));
  if (!Array.isArray(content)) return 0;
  let tokens = 0;
  for (const block of content) tokens += isObject(block) ? blockTokens(block['type'], block) : contentTokens(block);
  return tokens;
}

function blockTokens(type: unknown, block: object): number {
  const fields = block as Record<string, unknown>;
  switch (type) {
    case 'text':
      return contentTokens(fields['text']);
    case 'image':
      return PER_IMAGE;
    case 'document':
      return documentTokens(fields['source']);
    case 'tool_result':
      return PER_MESSAGE + contentTokens(fields['content']);
    default:
      return valueTokens(fields);
  }
}

function documentTokens(source: unknown): number {
  if (!isObject(source)) return 0;
  if (source['type'] === 'content') return contentTokens(source['content']);
  const data = asString(source['data']) ?? '';
  if (source['type'] === 'text') return textTokens(data);
  return Math.max(PER_PDF_PAGE, (data.length * 3) / 4 / PDF_BYTES_PER_TOKEN);
}

/** Estimated tokens of the tools' definitions, which reach the model as JSON. */
export function toolTokens(tools: unknown): number {
  if (!Array.isArray(tools)) return 0;
  let tokens = 0;
  for (const tool of tools) tokens += PER_MESSAGE + valueTokens(tool);
  return tokens;
}

/** A JSON value as the model reads it: its strings, its names and its punctuation. */
function valueTokens(value: unknown): number {
  if (typeof value === 'string') return textTokens(value) + 1;
  if (typeof value !== 'object' || value === null) return 2;
  let tokens = 1;
  for (const [key, child] of Object.entries(value)) {
    if (SILENT_FIELDS.has(key) && typeof child !== 'object') continue;
    tokens += Array.isArray(value) ? valueTokens(child) : 1 + textTokens(key) + valueTokens(child);
  }
  return tokens;
}
