import type { ReceivedRequest } from './fakeUpstream.ts';

interface Message {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[];
  readonly [field: string]: unknown;
}

type Part = { readonly type: string; readonly text?: string } & Readonly<Record<string, unknown>>;

export const messagesOf = ({ body }: ReceivedRequest): readonly Message[] => body.messages as readonly Message[];

export function textOf(message: Message | undefined): string {
  const content = message?.content;
  if (typeof content === 'string') return content;
  return partsOf(message)
    .map((part) => part.text ?? '')
    .join('\n');
}

function partsOf(message: Message | undefined): readonly Part[] {
  return Array.isArray(message?.content) ? message.content : [];
}

/** All parts that are not text, of the whole conversation. */
export function mediaOf(request: ReceivedRequest): readonly Part[] {
  return messagesOf(request)
    .flatMap(partsOf)
    .filter((part) => part.type !== 'text');
}

/** The texts of the tool results, in their order. */
export function resultsOf(request: ReceivedRequest): string[] {
  return messagesOf(request)
    .filter(({ role }) => role === 'tool')
    .map(textOf);
}

export function callsOf(request: ReceivedRequest): { id: string; name: string; input: Record<string, unknown> }[] {
  return messagesOf(request)
    .flatMap((message) => message.tool_calls ?? [])
    .map(({ id, function: { name, arguments: text } }) => ({ id, name, input: JSON.parse(text) }));
}

export function toolsOf({ body }: ReceivedRequest): { name: string; parameters: Record<string, unknown> }[] {
  const tools = body['tools'];
  return Array.isArray(tools) ? tools.map((tool) => tool.function) : [];
}
