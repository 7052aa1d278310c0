import { type JsonObject, parseObject } from '../../core/json.ts';
import { repairArguments } from './argumentRepair.ts';
import { JsonScanner } from './jsonScanner.ts';

export interface FinishedArguments {
  /** What is still to be written. */
  readonly text: string;
  /** The arguments are not complete, and must not be (R203). */
  readonly unfinished: boolean;
  /** What was mended, for the log. */
  readonly note?: string;
}

/**
 * The arguments of one call (R207). Text that begins like an object with a member is passed on as it comes; anything
 * else is held and repaired when it is complete, also by the tool's schema (R208). When only the rest could be held,
 * the whole is repaired, and if that agrees with what was already passed on, the rest of it is given; else the rest of
 * the original.
 */
export class ToolArguments {
  readonly #cumulative: boolean;
  #phase: 'undecided' | 'live' | 'held';
  readonly #scanner = new JsonScanner();
  #received = '';
  /** Passed on so far, whether taken or not. */
  #passed = '';
  #waiting = '';

  constructor(live: boolean, cumulative: boolean) {
    this.#cumulative = cumulative;
    this.#phase = live ? 'undecided' : 'held';
  }

  /** Whether there has been anything to write. */
  get begun(): boolean {
    return this.#phase === 'live';
  }

  /** The object is closed: whatever still comes cannot change it. */
  get closed(): boolean {
    return this.#scanner.closed;
  }

  /** The text so far is complete JSON by itself, whether or not it could be passed on. */
  get whole(): boolean {
    return this.closed || parseObject(this.#received) !== undefined;
  }

  get empty(): boolean {
    return this.#received === '';
  }

  push(text: string): void {
    const fresh = this.#cumulative ? this.#withoutRepeated(text) : text;
    if (fresh === '') return;
    this.#received += fresh;
    if (this.#phase === 'live') this.#pass(fresh);
    else if (this.#phase === 'undecided') this.#decide();
  }

  /** What can be written now. */
  take(): string {
    const text = this.#waiting;
    this.#waiting = '';
    return text;
  }

  /** The answer is over. Nothing is completed by guessing when it may have been cut off. */
  finish(cutOff: boolean, repairInput: (input: JsonObject) => JsonObject): FinishedArguments {
    if (this.closed) return this.#closedEnd();
    const remainder = this.#phase === 'live' ? this.#remainder() : this.#received;
    const whole = this.#passed + remainder;
    const repaired = cutOff ? whole : repairArguments(whole);
    const input = repaired === undefined ? undefined : parseObject(repaired);
    if (repaired === undefined || input === undefined || !repaired.startsWith(this.#passed)) {
      const unfinished = cutOff && input === undefined;
      return { text: this.take() + remainder, unfinished, ...(unfinished ? {} : { note: 'unreadable arguments' }) };
    }
    const text = this.#passed === '' ? applyRepair(repaired, input, repairInput) : repaired;
    const note = text.trim() === whole.trim() || whole === '' ? {} : { note: 'repaired arguments' };
    return { text: this.take() + text.slice(this.#passed.length), unfinished: false, ...note };
  }

  #closedEnd(): FinishedArguments {
    const junk = this.#received.trimStart().slice(this.#scanner.consumed).trim();
    return { text: this.take(), unfinished: false, ...(junk === '' ? {} : { note: 'words after the arguments' }) };
  }

  /** What was received and not passed on, as it came. */
  #remainder(): string {
    return this.#scanner.held + this.#received.trimStart().slice(this.#scanner.consumed);
  }

  #decide(): void {
    const text = this.#received.trimStart();
    if (/^\{\s*"/.test(text)) {
      this.#phase = 'live';
      this.#pass(text);
    } else if (!/^(\{\s*)?$/.test(text)) {
      this.#phase = 'held';
    }
  }

  #pass(text: string): void {
    const passed = this.#scanner.push(text);
    this.#passed += passed;
    this.#waiting += passed;
  }

  /** Snapshots repeat all that came before (R314). */
  #withoutRepeated(text: string): string {
    return text.startsWith(this.#received) ? text.slice(this.#received.length) : text;
  }
}

function applyRepair(text: string, input: JsonObject, repairInput: (input: JsonObject) => JsonObject): string {
  const repaired = repairInput(input);
  return repaired === input ? text : JSON.stringify(repaired);
}
