import { asString } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../protocol/openai/types.ts';
import { markBreakpoint, translateContent } from './content.ts';
import type { Context } from './context.ts';
import { textPart } from './media.ts';

/** The answer to one call: parts of its tool message, and media that must come after the run of tool messages (R127). */
export interface TranslatedResult {
  readonly parts: ChatContentPart[];
  readonly media: ChatContentPart[];
}

/** The result of a call in the provider's words; a call that was interrupted gets a line that says so (R129). */
export function translateResult(call: ContentBlock, context: Context): TranslatedResult {
  const result = context.pairing.results.get(call);
  const name = context.toolNames.toProvider(asString(call['name']) ?? '');
  if (result === undefined) {
    context.notes.add('result_missing');
    return { parts: [textPart(`[no result recorded for ${name}: interrupted]`)], media: [] };
  }
  const label = `from tool ${name}, call ${context.toolIds.get(call)}:`;
  const { lines, inline, after } = splitContent(result, label, context);
  const text = resultText(lines, result['is_error'] === true, inline.length > 0);
  const parts = text === '' ? [] : [markBreakpoint(textPart(text), result, context)];
  return { parts: [...parts, ...inline], media: after };
}

/** A result that answers no call, as text for the user message that it came in (R129). */
export function describeOrphan(result: ContentBlock, context: Context): ChatContentPart[] {
  context.notes.add('result_without_call');
  const { lines, inline, after } = splitContent(result, 'from it:', context);
  const text = resultText(lines, result['is_error'] === true, false);
  return [textPart(`[result of unknown tool call ${asString(result['tool_use_id'])}] ${text}`), ...inline, ...after];
}

function splitContent(result: ContentBlock, label: string, context: Context) {
  const lines: string[] = [];
  const inline: ChatContentPart[] = [];
  const after: ChatContentPart[] = [];
  for (const part of translateContent(result['content'], context)) {
    if (part.type === 'text') lines.push(part.text);
    else if (context.settings.toolImages === 'inline') inline.push(part);
    else {
      const kind = part.type === 'file' ? 'document' : 'image';
      lines.push(`[${kind} attached below]`);
      after.push(textPart(`The ${kind} ${label}`), part);
    }
  }
  return { lines, inline, after };
}

/** OpenAI's tool messages know no error flag (R126), and some providers refuse empty ones (R125). */
function resultText(lines: readonly string[], isError: boolean, hasMedia: boolean): string {
  const text = lines.join('\n');
  if (isError) return `[tool error] ${text === '' ? '(no details)' : text}`;
  return text === '' && !hasMedia ? '(empty result)' : text;
}
