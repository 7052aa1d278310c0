import { isObject, parseObject } from '../../src/core/json.ts';

const FIELDS: Record<string, readonly string[]> = {
  system: ['role', 'content'],
  developer: ['role', 'content'],
  user: ['role', 'content'],
  assistant: [
    ...['role', 'content', 'tool_calls', 'reasoning_content', 'reasoning', 'reasoning_details'],
    ...['partial', 'prefix'],
  ],
  tool: ['role', 'content', 'tool_call_id', 'name'],
};
const CALL_ID = /^[A-Za-z0-9_-]{1,40}$/;
/** The first bytes of a PNG, a JPEG and a PDF in base64. */
const ENCODED_FILE = /iVBORw0KGgo|\/9j\/4AAQ|JVBERi0/;

/** What a picky provider would refuse in the messages of a request: roles, contents, and calls with their results (R129). */
export function lintMessages(messages: readonly unknown[]): string[] {
  if (!Array.isArray(messages) || messages.length === 0) return ['no messages'];
  const problems: string[] = [];
  const seen = new Set<string>();
  let unanswered: string[] = [];
  messages.forEach((message: Record<string, unknown>, index) => {
    const at = `messages[${index}]`;
    const role = String(message['role']);
    problems.push(...lintMessage(message, role, index).map((problem) => `${at} (${role}): ${problem}`));
    if (role === 'tool') {
      const id = String(message['tool_call_id']);
      if (!unanswered.includes(id)) problems.push(`${at}: result of ${id}, which is not called right before`);
      unanswered = unanswered.filter((other) => other !== id);
      return;
    }
    if (unanswered.length > 0) problems.push(`${at}: the calls ${unanswered.join(', ')} have no result`);
    unanswered = callIds(message);
    for (const id of unanswered) {
      if (seen.has(id) || !CALL_ID.test(id)) problems.push(`${at}: call id ${id} is repeated or malformed`);
      seen.add(id);
    }
  });
  if (unanswered.length > 0) problems.push(`the calls ${unanswered.join(', ')} have no result`);
  if (!messages.some((message) => message.role === 'user')) problems.push('no user message');
  return problems;
}

function callIds(message: Record<string, unknown>): string[] {
  return Array.isArray(message['tool_calls']) ? message['tool_calls'].map((call) => String(call.id)) : [];
}

function lintMessage(message: Record<string, unknown>, role: string, index: number): string[] {
  const known = FIELDS[role];
  if (known === undefined) return ['unknown role'];
  const problems = Object.keys(message)
    .filter((field) => !known.includes(field))
    .map((field) => `field ${field}`);
  if (index > 0 && (role === 'system' || role === 'developer')) problems.push('not at the front');
  const calls = message['tool_calls'];
  if (calls !== undefined && (!Array.isArray(calls) || calls.length === 0)) problems.push('tool_calls is empty');
  if (Array.isArray(calls)) problems.push(...calls.flatMap(lintCall));
  return [...problems, ...lintContent(message['content'], Array.isArray(calls))];
}

function lintCall(call: unknown): string[] {
  if (!isObject(call) || !isObject(call['function'])) return ['call without a function'];
  const { name, arguments: text } = call['function'];
  const problems = Object.keys(call)
    .filter((field) => !['id', 'type', 'function', 'extra_content'].includes(field))
    .map((field) => `call: field ${field}`);
  if (call['type'] !== 'function') problems.push(`call of type ${call['type']}`);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(String(name))) problems.push(`call of ${name}`);
  if (typeof text !== 'string' || parseObject(text) === undefined) problems.push(`arguments ${text}`);
  return problems;
}

function lintContent(content: unknown, mayBeEmpty: boolean): string[] {
  if (content === undefined || content === null || content === '') return mayBeEmpty ? [] : ['no content'];
  if (typeof content === 'string') return lintText(content);
  if (!Array.isArray(content) || content.length === 0) return ['content is neither text nor parts'];
  return content.flatMap(lintPart);
}

function lintPart(part: unknown): string[] {
  if (!isObject(part)) return ['a part that is no object'];
  const strange = Object.keys(part).filter((field) => field !== 'type' && field !== part['type']);
  if (strange.length > 0) return strange.map((field) => `part: field ${field}`);
  if (part['type'] === 'text') return part['text'] === '' ? ['an empty text part'] : lintText(String(part['text']));
  const { image_url: image, file } = part;
  if (isObject(image)) return /^(?:data:image\/|https:)/.test(String(image['url'])) ? [] : ['image_url'];
  if (isObject(file)) return String(file['file_data']).startsWith('data:application/pdf;base64,') ? [] : ['file'];
  return [`part of type ${part['type']}`];
}

function lintText(text: string): string[] {
  const problems: string[] = [];
  if (ENCODED_FILE.test(text)) problems.push('a file in base64 as text');
  if (text.includes('x-anthropic-billing-header')) problems.push('the billing line');
  return problems;
}
