import { asNumber, asString, isObject, type JsonObject } from '../../core/json.ts';
import type { MessagesRequest } from '../../protocol/anthropic/request.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { effortOfSystemMessages } from './messages.ts';

/** How much the client wants the model to reason; `open` leaves it to the provider. */
export interface ReasoningWish {
  readonly mode: 'on' | 'off' | 'open';
  readonly effort?: string;
  /** Tokens. */
  readonly budget?: number;
}

const STRENGTHS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** Budgets up to which an effort is meant, in tokens. */
const LOW_BUDGET = 4096;
const MEDIUM_BUDGET = 16_384;

/** What asks the server to keep the reasoning of earlier turns. */
const KEEP_FIELDS = { none: {}, keep_all: { keep: 'all' }, clear_false: { clear_thinking: false } };

/** Reads the wish out of `thinking`, `output_config` and inline system messages. */
export function readReasoningWish(request: MessagesRequest): ReasoningWish {
  const thinking = isObject(request['thinking']) ? request['thinking'] : {};
  const outputConfig = isObject(request['output_config']) ? request['output_config'] : {};
  const effort = effortOfSystemMessages(request) ?? asString(outputConfig['effort']);
  // Thinking between tool calls alone is Anthropic's; where it is not known, the nearest is no thinking.
  if (thinking['type'] === 'disabled' || thinking['type'] === 'between_tools' || effort === 'none')
    return { mode: 'off' };
  const budget = asNumber(thinking['budget_tokens']);
  const wanted =
    effort ?? (thinking['type'] === 'enabled' && budget !== undefined ? effortOfBudget(budget) : undefined);
  return {
    mode: thinking['type'] === 'enabled' || thinking['type'] === 'adaptive' || wanted !== undefined ? 'on' : 'open',
    ...(wanted === undefined ? {} : { effort: wanted }),
    ...(budget === undefined ? {} : { budget }),
  };
}

function effortOfBudget(budget: number): string {
  if (budget <= LOW_BUDGET) return 'low';
  return budget <= MEDIUM_BUDGET ? 'medium' : 'high';
}

/** The wish in the provider's fields. Never both an "off" and an effort: that is refused, or thought about anyway. */
export function reasoningFields(wish: ReasoningWish, hasTools: boolean, settings: QuirkSettings): JsonObject {
  const off = wish.mode === 'off' && settings.thinkingOff;
  const effort = off ? undefined : wantedEffort(wish, hasTools, settings);
  switch (settings.reasoningStyle) {
    case 'effort':
      return effortField(chooseEffort(wish, hasTools, settings), settings);
    case 'effort_off':
      return off ? effortField('none', settings) : {};
    case 'thinking':
      return thinkingFields(wish, off, effort, settings);
    case 'enable_thinking':
      if (off) return { enable_thinking: false };
      if (wish.mode === 'open') return {};
      return { enable_thinking: true, ...(wish.budget === undefined ? {} : { thinking_budget: wish.budget }) };
    case 'reasoning':
      if (off) return { reasoning: { enabled: false } };
      if (effort !== undefined) return { reasoning: { effort } };
      return wish.mode === 'open' ? {} : { reasoning: { enabled: true } };
    case 'none':
      return {};
  }
}

function thinkingFields(
  wish: ReasoningWish,
  off: boolean,
  effort: string | undefined,
  settings: QuirkSettings,
): JsonObject {
  if (off) return { thinking: { type: 'disabled' } };
  if (wish.mode === 'open' && effort === undefined && settings.thinkingKeep === 'none') return {};
  const { thinking: inner, ...beside } = effortField(effort, settings);
  return {
    thinking: { type: settings.thinkingOn, ...(isObject(inner) ? inner : {}), ...KEEP_FIELDS[settings.thinkingKeep] },
    ...beside,
  };
}

function effortField(effort: string | undefined, settings: QuirkSettings): JsonObject {
  if (effort === undefined) return {};
  return settings.effortField === 'thinking.effort' ? { thinking: { effort } } : { [settings.effortField]: effort };
}

/** The effort where the effort alone says how much to reason; undefined when none is sent. */
export function chooseEffort(wish: ReasoningWish, hasTools: boolean, settings: QuirkSettings): string | undefined {
  if (hasTools && settings.effortWithTools === 'none') return 'none';
  return wantedEffort(wish, hasTools, settings);
}

/** The effort to send while the model reasons; the weakest stands for an "off" that the model does not know. */
function wantedEffort(wish: ReasoningWish, hasTools: boolean, settings: QuirkSettings): string | undefined {
  if (hasTools && settings.effortWithTools !== 'send') return undefined;
  if (wish.mode === 'off') return weakest(settings);
  const wanted = wish.effort ?? (settings.defaultEffort === '' ? undefined : settings.defaultEffort);
  return wanted === undefined ? undefined : nearestEffort(wanted, settings.efforts);
}

function weakest(settings: QuirkSettings): string | undefined {
  return settings.efforts.includes('none') ? 'none' : settings.efforts[0];
}

/** The effort itself when the model takes it, else the next stronger, else the strongest; unknown words are left out. */
function nearestEffort(wanted: string, efforts: readonly string[]): string | undefined {
  if (efforts.includes(wanted)) return wanted;
  const strength = STRENGTHS.indexOf(wanted);
  if (strength < 0) return undefined;
  const active = efforts.filter((effort) => effort !== 'none');
  return active.find((effort) => STRENGTHS.indexOf(effort) > strength) ?? active.at(-1);
}
