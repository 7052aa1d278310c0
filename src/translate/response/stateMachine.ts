import { ApiError } from '../../core/errors.ts';
import { HeldBudget, heldTooMuch, stuckIn } from '../../protocol/bounds.ts';
import {
  type Delta,
  encodeSignature,
  type ItemEndDelta,
  MARKER_SIGNATURE,
  type ToolCallDelta,
  type Usage,
} from '../../protocol/delta.ts';
import { encodeReasoningItem, isWorthCarrying, ReasoningState } from '../../protocol/openai/reasoningItem.ts';
import { ContentBlocks, type MessageSink, SearchBlocks, toCitation } from './blocks.ts';
import { addNote, type OutcomeRecord, type ResponseContext } from './context.ts';
import {
  type FinishMeaning,
  fillUsage,
  finishMeaning,
  isWindowFull,
  mayBeCutOff,
  mergeUsage,
  toMessageUsage,
  toStopReason,
} from './finish.ts';
import { BLANKS_MAX, StopSequenceMatcher, ThinkTagParser } from './textFilters.ts';
import { ToolCalls } from './toolCalls.ts';

/** Letters of a provider's own word that are repeated to users and in the log. */
const WORD_MAX = 100;

/**
 * The state machine between a provider's deltas and Anthropic's message grammar. Knows no wire format on either
 * side: deltas come in, calls on the sink go out, and the outcome says how the answer stands.
 */
export class MessageStateMachine {
  readonly #context: ResponseContext;
  readonly #sink: MessageSink;
  readonly #outcome: OutcomeRecord;
  readonly #blocks: ContentBlocks;
  readonly #calls: ToolCalls;
  readonly #tags: ThinkTagParser | undefined;
  /** Undefined where there is nothing to match. */
  readonly #stop: StopSequenceMatcher | undefined;
  /** Takes the text outside of tags. */
  readonly #spoken: (text: string) => void;
  readonly #held = new HeldBudget();
  /** Undefined until there is some that must come back to the provider. */
  #state: ReasoningState | undefined;
  /** White space that begins no block as long as nothing follows it. */
  #blankThinking = '';
  #blankText = '';
  /** Text that came after a call had begun; it is written behind the calls, as their blocks cannot be closed before. */
  #lateText = '';
  #textBegun = false;
  /** Each item of the answer is a block of its own, in the order in which they come. */
  readonly #hasItems: boolean;
  /** What the block of a reasoning item is signed with. */
  #carrier: string | undefined;
  /** Undefined until the provider has searched the web. */
  #searches: SearchBlocks | undefined;
  #usage: Usage | undefined;
  #stopSequence: string | undefined;

  constructor(context: ResponseContext, sink: MessageSink, outcome: OutcomeRecord) {
    this.#context = context;
    this.#sink = sink;
    this.#outcome = outcome;
    this.#hasItems = context.protocol === 'responses';
    this.#blocks = new ContentBlocks(sink, outcome, () => this.#signature());
    this.#calls = new ToolCalls(context, this.#blocks, outcome, this.#held);
    const { stopSequences } = context;
    const stop = stopSequences.length === 0 ? undefined : new StopSequenceMatcher(stopSequences, this.#text);
    this.#stop = stop;
    this.#spoken = stop === undefined ? this.#text : (text) => stop.push(text);
    const { thinkTags, thinkOpen } = context.settings;
    if (thinkTags !== 'off') {
      this.#tags = new ThinkTagParser(thinkOpen, this.#held, (text) => this.#thinking(text), this.#spoken);
    }
  }

  accept(delta: Delta): void {
    const outcome = this.#outcome;
    if (outcome.ended) return;
    switch (delta.kind) {
      case 'text':
        if (this.#tags === undefined) this.#spoken(delta.text);
        else this.#tags.push(delta.text);
        // A stop sequence that was found ends the answer, whatever the model goes on to say.
        if (this.#stop?.found !== undefined) outcome.finished = true;
        break;
      case 'thinking':
        if (this.#context.settings.thinkTags === 'auto') this.#tags?.stop();
        this.#thinking(delta.text);
        break;
      case 'reasoningState':
        if (this.#context.settings.reasoningReplay === 'reasoning_details') {
          this.#state ??= new ReasoningState(this.#held);
          this.#state.add(delta.state);
        }
        break;
      case 'toolCall':
        this.#call(delta);
        break;
      case 'usage':
        this.#usage = mergeUsage(this.#usage, delta.usage);
        break;
      case 'finish':
        this.#finish(delta.reason, delta.stopSequence);
        break;
      case 'error':
        this.fail(delta.error);
        break;
      case 'itemEnd':
        this.#endItem(delta);
        break;
      case 'search':
        this.#searches ??= new SearchBlocks(this.#blocks, this.#context.createToolId);
        this.#searches.begin(delta.query);
        break;
      case 'searchResult':
        this.#searches?.end(delta.pages);
        break;
      case 'note':
        addNote(outcome, delta.note);
        break;
      case 'end':
        this.complete();
    }
    if (outcome.ended) return;
    if (this.#held.isExceeded) this.fail(heldTooMuch());
    else if (this.#calls.stuck) this.#break(stuckIn('the arguments of a tool call'));
    else if (this.#blankText.length > BLANKS_MAX || this.#blankThinking.length > BLANKS_MAX) {
      this.fail(stuckIn('white space'));
    }
  }

  /** The answer has failed. After its finish that no longer matters: everything is there but perhaps the usage. */
  fail(error: ApiError): void {
    if (this.#outcome.ended) return;
    if (this.#outcome.finished) {
      addNote(this.#outcome, 'a failure after the finish was passed over');
      this.complete();
      return;
    }
    this.#break(error);
  }

  /** The provider's stream has ended without its `[DONE]`. */
  end(): void {
    if (this.#outcome.ended) return;
    if (this.#outcome.finished || this.#calls.whole) this.complete();
    else this.#break(endedEarly());
  }

  /**
   * The provider says that this is all, with or without a finish reason.
   * @param isWhole the answer came in one piece, so that what it lacks is not still on its way
   */
  complete(isWhole = false): void {
    const outcome = this.#outcome;
    if (outcome.ended) return;
    const given = finishMeaning(outcome.finishReason);
    const meaning = isWhole && given === 'missing' && this.#calls.some ? 'end' : given;
    const unexplained = meaning === 'missing' && this.#stop?.found === undefined;
    if (unexplained && this.#calls.some && !this.#calls.whole) {
      this.#break(endedEarly());
      return;
    }
    this.#writeRest(meaning);
    if (this.#calls.unfinished && !this.#hasReachedLimit(meaning)) this.#break(cutCall());
    else if (this.#calls.some && this.#outcome.toolCalls === 0 && !this.#calls.unfinished) this.#break(namelessCall());
    else if (unexplained && this.#blocks.count === 0) this.#break(endedEarly());
    else this.#conclude(meaning);
  }

  #writeRest(meaning: FinishMeaning): void {
    const silent = !this.#textBegun && !this.#calls.some;
    this.#tags?.end(silent && !mayBeCutOff(meaning));
    this.#stop?.end();
    this.#calls.finish(mayBeCutOff(meaning));
    // The block of half a call stays open, so that nobody takes it for a whole one.
    if (this.#calls.unfinished && !this.#hasReachedLimit(meaning)) return;
    if (this.#lateText.trim() !== '') {
      this.#blocks.openText();
      this.#blocks.append(this.#lateText);
    }
    this.#blocks.close();
  }

  /** Whether the answer may have ended because it reached the output limit or the window, whatever the provider calls it. */
  #hasReachedLimit(meaning: FinishMeaning): boolean {
    const { maxTokens } = this.#context;
    return (
      meaning === 'length' ||
      meaning === 'window' ||
      maxTokens === undefined ||
      !this.#usage?.output ||
      this.#usage.output >= maxTokens ||
      isWindowFull(this.#usage, this.#context.settings.contextWindow, maxTokens)
    );
  }

  #conclude(meaning: FinishMeaning): void {
    const outcome = this.#outcome;
    const { contextWindow, contentFilter } = this.#context.settings;
    if (meaning === 'unknown') addNote(outcome, `unknown finish reason ${outcome.finishReason?.slice(0, WORD_MAX)}`);
    const usage = this.#countTokens();
    const stopSequence = this.#stop?.found ?? this.#stopSequence;
    outcome.stopReason = toStopReason({
      meaning,
      called: outcome.toolCalls > 0,
      // A whole item is not held back because a later one was cut.
      unfinishedCall: this.#calls.unfinished && !(this.#hasItems && outcome.toolCalls > 0),
      spoke: this.#blocks.count > 0,
      stopped: stopSequence !== undefined,
      windowFull: !outcome.usageEstimated && isWindowFull(usage, contextWindow, this.#context.maxTokens),
      contentFilter,
    });
    outcome.empty = this.#blocks.count === 0 && meaning === 'end';
    this.#blocks.start();
    const written = outcome.stopReason === 'stop_sequence' ? (stopSequence ?? null) : null;
    this.#sink.finish(outcome.stopReason, written, outcome.usage);
    outcome.finished = true;
    outcome.ended = true;
  }

  /** Puts the counts into the outcome, with estimates where the provider gave none. */
  #countTokens(): Usage {
    const usage = fillUsage(this.#usage, this.#context.inputEstimate, this.#blocks.bytes);
    this.#outcome.usageEstimated = this.#usage === undefined;
    this.#outcome.usage = { ...toMessageUsage(usage), ...this.#searches?.usage };
    this.#outcome.reasoningTokens = usage.reasoning;
    return usage;
  }

  #break(error: ApiError): void {
    this.#countTokens();
    this.#outcome.error = error;
    this.#outcome.ended = true;
    if (this.#outcome.started) this.#sink.fail(error);
  }

  #finish(reason: string, stopSequence: string | undefined): void {
    if (this.#outcome.finishReason !== undefined) return;
    const meaning = finishMeaning(reason);
    const overflowed = meaning === 'window' && this.#blocks.count === 0 && !this.#calls.some;
    if (meaning === 'brokenCall') {
      this.#break(
        new ApiError(
          'broken_tool_call',
          `the model wrote a tool call that the provider cannot read: ${reason.slice(0, WORD_MAX)}`,
        ),
      );
    } else if (meaning === 'failure' || (meaning === 'unknown' && !this.#hasItems && !this.#calls.whole)) {
      this.#break(new ApiError('overloaded', `the provider broke off its answer: ${reason.slice(0, WORD_MAX)}`));
    } else if (overflowed) {
      const message = 'the conversation exceeds the context window of the model';
      this.#break(this.#context.toApiError({ message, code: reason }));
    } else {
      this.#outcome.finishReason = reason;
      this.#outcome.finished = true;
      this.#stopSequence = stopSequence;
    }
  }

  #thinking(text: string): void {
    if (this.#blocks.open === 'thinking') {
      this.#blocks.append(text);
      return;
    }
    if (this.#stop?.found !== undefined) return;
    const late = !this.#hasItems && (this.#textBegun || this.#outcome.toolCalls > 0);
    // Only the piece is looked at: what waits is white space already.
    if (text.trim() === '') {
      this.#blankThinking += text;
    } else if (!late || (this.#context.settings.lateReasoning === 'block' && this.#blocks.open === 'text')) {
      const whole = this.#blankThinking + text;
      this.#blankThinking = '';
      this.#blocks.openThinking();
      this.#blocks.append(whole);
    } else {
      addNote(this.#outcome, 'late reasoning was dropped');
    }
  }

  readonly #text = (text: string): void => {
    if (this.#blocks.open === 'text') {
      this.#blocks.append(text);
      return;
    }
    if (this.#outcome.toolCalls > 0 && !this.#hasItems) {
      this.#lateText += text;
      this.#held.add(text.length);
      return;
    }
    if (text.trim() === '') {
      this.#blankText += text;
      return;
    }
    const whole = this.#blankText + text;
    this.#blankText = '';
    this.#textBegun = true;
    this.#writeState();
    this.#blocks.openText();
    this.#blocks.append(whole);
  };

  #call(delta: ToolCallDelta): void {
    if (this.#stop?.found !== undefined) return;
    this.#tags?.stop();
    this.#writeState();
    this.#calls.push(delta);
  }

  /** What comes next belongs to another block; reasoning without words still needs one to travel in. */
  #endItem({ isCut, reasoning, citations = [] }: ItemEndDelta): void {
    this.#tags?.endItem();
    this.#stop?.end();
    this.#calls.finish(isCut);
    if (reasoning !== undefined && isWorthCarrying(reasoning) && this.#stop?.found === undefined) {
      const { provider, reasoningFingerprint } = this.#context;
      this.#carrier = encodeReasoningItem(provider, reasoning, reasoningFingerprint);
      if (this.#blocks.open !== 'thinking') this.#blocks.openThinking();
    }
    if (citations.length > 0) this.#blocks.cite(citations.map(toCitation));
    this.#blocks.close();
    this.#carrier = undefined;
    this.#blankText = '';
    this.#blankThinking = '';
  }

  /** State without reasoning text still needs a block to travel in. */
  #writeState(): void {
    if (this.#blocks.open === 'thinking' || this.#outcome.toolCalls > 0 || this.#state?.opaque !== true) return;
    this.#blocks.openThinking();
    this.#blocks.close();
  }

  #signature(): string {
    if (this.#carrier !== undefined) return this.#carrier;
    const state = this.#state?.take();
    return state === undefined ? MARKER_SIGNATURE : encodeSignature(this.#context.provider, state);
  }
}

function endedEarly(): ApiError {
  return new ApiError('overloaded', 'upstream stream ended early');
}

function cutCall(): ApiError {
  return new ApiError('overloaded', 'the provider ended its answer in the middle of a tool call');
}

function namelessCall(): ApiError {
  return new ApiError('broken_tool_call', 'the model called a tool without naming it');
}
