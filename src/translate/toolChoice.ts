import { asString, isObject, type Json } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import type { Context } from './context.ts';

/** What becomes of the client's tool_choice, and what it asks of the rest of the request. */
export interface ToolChoice {
  /** Value of `tool_choice`; undefined when it is not sent. */
  readonly value: Json | undefined;
  /** The tools are left out, as the server knows no other way not to call them. */
  readonly withoutTools: boolean;
  /** The server forces a tool only while the model does not reason. */
  readonly needsThinkingOff: boolean;
  /** `parallel_tool_calls: false` is sent. */
  readonly oneAtATime: boolean;
}

const NO_CHOICE: ToolChoice = { value: undefined, withoutTools: false, needsThinkingOff: false, oneAtATime: false };

/** Decides tool_choice and parallel_tool_calls (R145); `thinkingIsOff` says that the client has turned reasoning off. */
export function decideToolChoice(request: MessagesRequest, context: Context, thinkingIsOff: boolean): ToolChoice {
  const { settings, notes, tools } = context;
  const choice = isObject(request['tool_choice']) ? request['tool_choice'] : undefined;
  if (tools.size === 0 || choice === undefined) return NO_CHOICE;
  const oneAtATime = choice['disable_parallel_tool_use'] === true && settings.parallelToolCalls;
  const type = asString(choice['type']);
  if (type === 'none') {
    const known = settings.toolChoice === 'full' || settings.toolChoice === 'auto_none';
    return known ? { ...NO_CHOICE, value: 'none' } : { ...NO_CHOICE, withoutTools: true };
  }
  const automatic = settings.toolChoice === 'omit' ? undefined : 'auto';
  const forced = type === 'any' ? 'required' : namedTool(choice['name'], type, context);
  if (forced === undefined) return { ...NO_CHOICE, value: automatic, oneAtATime };
  const allowed = settings.forcedTools === 'yes' || (settings.forcedTools === 'no_thinking' && settings.thinkingOff);
  if (settings.toolChoice !== 'full' || !allowed) {
    notes.add('tool_choice_lowered_to_auto');
    return { ...NO_CHOICE, value: automatic, oneAtATime };
  }
  const needsThinkingOff = settings.forcedTools === 'no_thinking' && !thinkingIsOff;
  if (needsThinkingOff) notes.add('thinking_off_for_forced_tool');
  return { value: forced, withoutTools: false, needsThinkingOff, oneAtATime };
}

function namedTool(name: unknown, type: string | undefined, context: Context): Json | undefined {
  if (type !== 'tool' || typeof name !== 'string') return undefined;
  if (context.tools.has(name)) return { type: 'function', function: { name: context.toolNames.toProvider(name) } };
  context.notes.add('tool_choice_of_removed_tool');
  return undefined;
}
