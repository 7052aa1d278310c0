import type { ResponseItem, ResponsesRequest, ResponseTool } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { textPart } from './content.ts';
import { isSystem, systemPrompt, translateTurns } from './messages.ts';
import {
  type ChoiceValue,
  CONTINUE,
  identity,
  type RequestParts,
  type StructuredOutput,
  samplers,
} from './parameters.ts';
import { chooseEffort, type ReasoningWish } from './reasoning.ts';
import { responsesForm, systemItem, userItem } from './responsesConversation.ts';
import { hostedSearch, type ToolForm, translateTools } from './tools.ts';

/**
 * The request of the Responses API, its fields in a fixed order. Nothing is kept at the provider: the conversation goes along whole, with
 * the encrypted reasoning of earlier answers in it. Unknown fields are refused, so that there are no others than these.
 */
export function* responsesBody(parts: RequestParts): Generator<void, ResponsesRequest> {
  const { request, context, isStream, choice, wish, output } = parts;
  const { settings, target } = context;
  const search = hostedSearch(request, settings);
  const functions = yield* translateTools(
    parts.tools,
    context.toolNames,
    target.repairs,
    context.cache.toolsFor(target.repairs),
    toolForm,
  );
  const tools = search === undefined ? functions : [...functions, search.tool];
  const reasons = settings.reasoningStyle !== 'none';
  const chosen = reasons ? chooseEffort(wish, tools.length > 0, settings) : undefined;
  // The provider searches at no effort as weak as that.
  const effort = search !== undefined && chosen === 'minimal' ? nextEffort(chosen, settings) : chosen;
  const include = [
    ...(reasons && settings.includeEncrypted ? (['reasoning.encrypted_content'] as const) : []),
    ...(search === undefined ? [] : (['web_search_call.action.sources'] as const)),
  ];
  const maxTokens = addHeadroom(parts, effort);
  return {
    model: target.name,
    ...(yield* translateConversation(parts)),
    ...(tools.length > 0 ? { tools } : {}),
    ...toolChoice(choice.value, search?.isForced === true && functions.length === 0),
    ...(choice.oneAtATime ? { parallel_tool_calls: false } : {}),
    ...(reasons ? reasoningField(wish, effort, settings) : {}),
    ...textField(output, settings),
    ...(search?.most === undefined ? {} : { max_tool_calls: search.most }),
    ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
    ...(reasons && effort !== 'none' && settings.samplers === 'without_reasoning' ? {} : samplers(request, settings)),
    ...identity(request, settings, 'safety_identifier'),
    ...(settings.cacheTtl === '' ? {} : { prompt_cache_options: { ttl: settings.cacheTtl } }),
    ...(settings.serviceTier === '' ? {} : { service_tier: settings.serviceTier }),
    store: false,
    ...(include.length > 0 ? { include } : {}),
    ...(isStream ? { stream: true as const } : {}),
    ...(isStream && !settings.obfuscation ? { stream_options: { include_obfuscation: false } } : {}),
  };
}

type Fields<Name extends keyof ResponsesRequest> = Pick<ResponsesRequest, Name> | Record<string, never>;

/** Flat, and never strict: the API would make each optional property a required one. */
const toolForm: ToolForm<ResponseTool> = ({ name, description, parameters }) => ({
  type: 'function',
  name,
  description,
  parameters,
  strict: false,
});

function toolChoice(value: ChoiceValue | undefined, mustSearch: boolean): Fields<'tool_choice'> {
  if (mustSearch) return { tool_choice: 'required' };
  if (value === undefined) return {};
  return { tool_choice: typeof value === 'string' ? value : { type: 'function', name: value.name } };
}

/** The weakest effort above this one. */
function nextEffort(effort: string, { efforts }: QuirkSettings): string | undefined {
  return efforts[efforts.indexOf(effort) + 1];
}

/** The system prompt as it is asked for, and all messages as items. */
function* translateConversation({
  request,
  context,
  output,
}: RequestParts): Generator<void, Pick<ResponsesRequest, 'instructions' | 'input'>> {
  const { settings } = context;
  const { messages } = request;
  const joined = settings.inlineSystem === 'hoist' ? messages.filter(isSystem) : [];
  const system = systemPrompt(request, joined, output?.instruction, context)
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('\n\n');
  const items = yield* translateTurns(messages, 0, context, responsesForm(settings));
  const written = closeResponsesPrefill(items, settings);
  // A request without any item is refused.
  const input = written.length > 0 ? written : [userItem([textPart('(no content)')], settings)];
  if (system === '') return { input };
  if (settings.instructions === 'field') return { instructions: system, input };
  return { input: [systemItem(settings.instructions, system), ...input] };
}

/** Nothing goes on with a beginning of the answer by itself here, so that a user asks for it. */
function closeResponsesPrefill(items: ResponseItem[], settings: QuirkSettings): ResponseItem[] {
  const last = items.at(-1);
  if (last?.type !== undefined || last?.role !== 'assistant' || settings.prefill === 'pass') return items;
  const { content } = last;
  const trimmed =
    typeof content === 'string'
      ? content.trimEnd()
      : content.map((part) => (part.type === 'output_text' ? { ...part, text: part.text.trimEnd() } : part));
  const isEmpty =
    typeof trimmed === 'string'
      ? trimmed === ''
      : trimmed.every((part) => part.type === 'output_text' && part.text === '');
  if (!isEmpty) return [...items.slice(0, -1), { ...last, content: trimmed }, userItem([textPart(CONTINUE)], settings)];
  // Its reasoning goes with it, which must not stand at the end.
  const end = items.slice(0, -1).findLastIndex((item) => item.type !== 'reasoning');
  return items.slice(0, end + 1);
}

/** Nothing is shown of what the model thinks, for minutes, unless a summary is asked for. */
function reasoningField(
  wish: ReasoningWish,
  effort: string | undefined,
  { summary, reasoningContext: context }: QuirkSettings,
): Fields<'reasoning'> {
  const reasoning = {
    ...(effort === undefined ? {} : { effort }),
    ...(wish.mode === 'off' || effort === 'none' || summary === 'off' ? {} : { summary }),
    ...(context === '' ? {} : { context }),
  };
  return Object.keys(reasoning).length > 0 ? { reasoning } : {};
}

/** A model that reasons although nobody wished it needs room for that, too; else nothing would be left for the answer. */
function addHeadroom({ maxTokens, wish, context }: RequestParts, effort: string | undefined): number | undefined {
  const { reasoningStyle, outputHeadroom, maxOutput } = context.settings;
  if (maxTokens === undefined || wish.mode !== 'off' || reasoningStyle === 'none' || effort === 'none')
    return maxTokens;
  return Math.min(maxTokens + outputHeadroom, maxOutput ?? Number.POSITIVE_INFINITY);
}

function textField(output: StructuredOutput | undefined, { verbosity }: QuirkSettings): Fields<'text'> {
  const text = {
    ...(output === undefined ? {} : { format: textFormat(output) }),
    ...(verbosity === '' ? {} : { verbosity }),
  };
  return Object.keys(text).length > 0 ? { text } : {};
}

function textFormat({ schema }: StructuredOutput): Required<Required<ResponsesRequest>['text']>['format'] {
  return schema === undefined ? { type: 'json_object' } : { type: 'json_schema', ...schema, strict: false };
}
