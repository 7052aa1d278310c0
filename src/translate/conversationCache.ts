import type { JsonObject } from '../core/json.ts';
import type { ContentBlock, ParseCache, RequestMessage } from '../protocol/anthropic/request.ts';
import type { Repairs } from '../quirks/compose.ts';
import type { ReasoningReplay } from './request/reasoningReplay.ts';
import type { WordMemory } from './request/toolLimit.ts';
import type { Pairing } from './request/toolNames.ts';
import type { ToolDefinition, ToolMemory, WrittenTool } from './request/tools.ts';
import type { TokenParts } from './tokens.ts';

/** A place before an answer of the model: what was written until then never changes, as an answer closes what is before it. */
export interface Checkpoint {
  /** Of the answer, among the client's messages. */
  readonly index: number;
  /** Messages or items that had been written for the provider, without the system prompt. */
  readonly size: number;
  /** Calls that stand before it. */
  readonly calls: number;
  /** What had been noted about the messages before it. */
  readonly notes: readonly string[];
}

/** What the translation of messages depends on beside the messages. */
export interface TranslationBasis {
  /** Compared by identity. */
  readonly target: object;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly pairing: Pairing;
  readonly breakpoints: ReadonlySet<JsonObject>;
  readonly replay: ReasoningReplay;
  /** How much of the reasoning had been refused. */
  readonly refusals: number;
}

/** The messages of a request, translated. */
export interface TranslatedMessages {
  readonly basis: TranslationBasis;
  readonly messages: readonly RequestMessage[];
  readonly checkpoints: readonly Checkpoint[];
  /** The provider's messages or items, without the system prompt. */
  readonly written: readonly JsonObject[];
}

/** The last place until which an earlier translation holds, what it wrote until there, and the places before it. */
export interface ReusableMessages<Item> extends Checkpoint {
  readonly written: readonly Item[];
  readonly checkpoints: readonly Checkpoint[];
}

/**
 * What was made of the messages and tools of earlier requests. Request N+1 of a conversation repeats all of request N, and the
 * incremental parser gives what is repeated as the same objects: so it need not be checked, measured, translated and printed again,
 * which is more than two thirds of the work on a long request (measured).
 *
 * Everything hangs weakly on these objects and goes with them. So the bound is that of the parser, which keeps the last 16 bodies of
 * together at most 8 MiB, and what stands here is in proportion to them. The body codec of an instance owns the one cache, as it owns
 * the parser; it reaches the translation with the request. Nothing here changes what comes out, only what it costs.
 */
export class ConversationCache implements ParseCache {
  readonly parsedMessages = new WeakMap<object, RequestMessage>();
  readonly shallowElements = new WeakSet<object>();
  /** Values that are known to hold no lone surrogate. */
  readonly wellFormed = new WeakSet<object>();
  /** Estimated tokens of messages and tools. */
  readonly tokens = new WeakMap<object, Readonly<TokenParts>>();
  /** The arguments of tool calls as JSON text. */
  readonly argumentTexts = new WeakMap<ContentBlock, string>();
  /** The words by which tools are chosen where there are too many. */
  readonly words: WordMemory = { messages: new WeakMap(), tools: new WeakMap() };
  readonly #tools = new WeakMap<Repairs, WeakMap<JsonObject, WrittenTool>>();
  /** The last translation of each conversation, by its first message. */
  readonly #translated = new WeakMap<RequestMessage, TranslatedMessages>();

  /** Tools in the words of a provider with these repairs, by the schema that the client sent. */
  toolsFor(repairs: Repairs): ToolMemory {
    let earlier = this.#tools.get(repairs);
    if (earlier === undefined) {
      earlier = new WeakMap();
      this.#tools.set(repairs, earlier);
    }
    return { earlier, wellFormed: this.wellFormed };
  }

  storeMessages(translated: TranslatedMessages): void {
    const [first] = translated.messages;
    // Cache breakpoints move with each turn, so that what holds one is never written the same way again.
    if (first !== undefined && translated.basis.breakpoints.size === 0) this.#translated.set(first, translated);
  }

  /** How far the last translation of this conversation holds for these messages: to an answer that they still have. */
  reuseMessages<Item extends JsonObject>(
    messages: readonly RequestMessage[],
    basis: TranslationBasis,
  ): ReusableMessages<Item> | undefined {
    const [first] = messages;
    const earlier = first === undefined ? undefined : this.#translated.get(first);
    if (earlier === undefined || earlier.basis.target !== basis.target) return undefined;
    if (!haveSameTools(earlier.basis.tools, basis.tools)) return undefined;
    const { replay, refusals } = earlier.basis;
    if (replay.fingerprint !== basis.replay.fingerprint || refusals !== basis.refusals) return undefined;
    let same = 0;
    while (same < messages.length && messages[same] === earlier.messages[same]) same += 1;
    const { checkpoints } = earlier;
    const reached = checkpoints.findLastIndex(({ index }) => index < same);
    const calls = countSameCalls(earlier.basis.pairing, basis.pairing, checkpoints[reached]?.calls ?? 0);
    const holding = checkpoints.findLastIndex((one, position) => position <= reached && one.calls <= calls);
    const last = checkpoints[holding];
    return (
      last && {
        ...last,
        // What was written for the same target was written in the same form.
        written: earlier.written.slice(0, last.size) as Item[],
        checkpoints: checkpoints.slice(0, holding),
      }
    );
  }
}

function haveSameTools(one: ReadonlyMap<string, ToolDefinition>, other: ReadonlyMap<string, ToolDefinition>): boolean {
  if (one.size !== other.size) return false;
  const others = other.values();
  for (const tool of one.values()) {
    const { value } = others.next();
    if (tool.schema !== value?.schema || tool.name !== value.name || tool.description !== value.description)
      return false;
  }
  return true;
}

/** How many of the first calls have the same results as before; one that was interrupted may have got its result since. */
function countSameCalls(one: Pairing, other: Pairing, count: number): number {
  for (let position = 0; position < count; position += 1) {
    const call = other.calls[position];
    if (call === undefined || one.results.get(call) !== other.results.get(call)) return position;
  }
  return count;
}
