import { createHash } from 'node:crypto';
import { asString } from '../../core/json.ts';
import type { ContentBlock, RequestMessage } from '../../protocol/anthropic/request.ts';
import { decodeCallFields } from '../../protocol/delta.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';

/** The first `length` hexadecimal digits of SHA-256: a short name that is the same on every run, as prompts must be for the provider's cache. */
export function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/**
 * The tool names of one request in both directions: what Claude Code calls a tool, and what the provider gets
 * to see when that name is too long or has characters that it refuses.
 */
export interface ToolNames {
  /** Name for the provider; deterministic, also for tools that only the history mentions. */
  toProvider(name: string): string;
  /** Name for Claude Code: reverse map, exact, unique case-insensitive, after known prefixes, else as it came. */
  toClient(name: string): string;
}

const HASH_LENGTH = 8;

/** What models put before a tool's name when they confuse the API with their training format. */
const STRAY_PREFIX = /^(?:functions\.|default_api[:.]|tool_use:)/;

/**
 * Names both ways for the tools on offer and those that only the history mentions; `longest` is the provider's limit. Two
 * offered names that would become one both get a hash. One that the history brings up gets it alone, so that a turn more
 * never changes the names in those before it.
 */
export function createToolNames(offered: Iterable<string>, mentioned: Iterable<string>, longest: number): ToolNames {
  const names = new Set(offered);
  const owners = new Map<string, number>();
  for (const name of names) {
    const plain = sanitize(name, longest);
    owners.set(plain, (owners.get(plain) ?? 0) + 1);
  }
  const forward = new Map<string, string>();
  const back = new Map<string, string>();
  const add = (name: string, isTaken: boolean) => {
    const plain = sanitize(name, longest);
    const mapped = isTaken ? withHash(plain, name, longest) : plain;
    forward.set(name, mapped);
    back.set(mapped, name);
  };
  for (const name of names) add(name, (owners.get(sanitize(name, longest)) ?? 0) > 1);
  for (const name of mentioned) {
    if (!forward.has(name)) add(name, back.has(sanitize(name, longest)));
  }
  let folded: ReadonlyMap<string, string | undefined> | undefined;
  const find = (name: string): string | undefined => {
    const known = back.get(name) ?? (forward.has(name) ? name : undefined);
    if (known !== undefined) return known;
    folded ??= foldCase(forward.keys());
    return folded.get(name.toLowerCase());
  };
  return {
    toProvider: (name) => forward.get(name) ?? sanitize(name, longest),
    toClient: (name) => find(name) ?? find(name.replace(STRAY_PREFIX, '')) ?? name,
  };
}

function sanitize(name: string, longest: number): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return clean.length > longest ? withHash(clean, name, longest) : clean;
}

function withHash(clean: string, original: string, longest: number): string {
  return `${clean.slice(0, longest - HASH_LENGTH - 1)}_${shortHash(original, HASH_LENGTH)}`;
}

/** The names by what is left of them in lower case; undefined where that is the same for several. */
function foldCase(names: Iterable<string>): ReadonlyMap<string, string | undefined> {
  const folded = new Map<string, string | undefined>();
  for (const name of names) {
    const lower = name.toLowerCase();
    folded.set(lower, folded.has(lower) ? undefined : name);
  }
  return folded;
}

/** OpenAI refuses longer ids: on chat completions, and in the Responses API. */
const ID_MAX = 40;
const RESPONSE_ID_MAX = 64;

/**
 * The id that each call of the history, and its result, has for the provider. Ids are given in the order of the
 * calls and are unique, so a turn that is added never changes those before it.
 */
export function assignToolIds(
  calls: readonly ContentBlock[],
  form: QuirkSettings['toolId'],
  toolNames: ToolNames,
): ReadonlyMap<ContentBlock, string> {
  const ids = new Map<ContentBlock, string>();
  const used = new UsedIds(ID_MAX);
  for (const call of calls) {
    ids.set(call, form === 'functions' ? numberedId(call, ids.size, toolNames) : used.take(call, form));
  }
  return ids;
}

/** The same for the Responses API: a call keeps the id that this provider gave it, as long as no earlier one has that. */
export function restoreCallIds(calls: readonly ContentBlock[], provider: string): ReadonlyMap<ContentBlock, string> {
  const ids = new Map<ContentBlock, string>();
  const used = new UsedIds(RESPONSE_ID_MAX);
  for (const call of calls) {
    const given = asString(decodeCallFields(call, provider)?.['call_id']) ?? '';
    const isUsable = given !== '' && given.length <= RESPONSE_ID_MAX && used.claim(given);
    ids.set(call, isUsable ? given : used.take(call, 'keep'));
  }
  return ids;
}

/** The form in which some models were trained to see ids; they fall silent when they meet another. */
function numberedId(call: ContentBlock, position: number, toolNames: ToolNames): string {
  return `functions.${toolNames.toProvider(asString(call['name']) ?? '')}:${position}`;
}

/** Gives each call an id of its own: its own one, or when that is taken the first with a number behind it that is not. */
class UsedIds {
  readonly #used = new Set<string>();
  /** The number that the last call with this id got: below it all are taken, which need not be tried again. */
  readonly #numbers = new Map<string, number>();
  readonly #longest: number;

  /** @param longest letters of an id */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Takes just this id; false when it is taken. */
  claim(id: string): boolean {
    if (this.#used.has(id)) return false;
    this.#used.add(id);
    return true;
  }

  take(call: ContentBlock, form: 'keep' | 'nine'): string {
    const original = asString(call['id']) ?? '';
    const plain = toId(original, form, this.#longest);
    let id = plain;
    if (this.#used.has(plain)) {
      let number = this.#numbers.get(plain) ?? 1;
      do {
        number += 1;
        id = toId(`${original}_${number}`, form, this.#longest);
      } while (this.#used.has(id));
      this.#numbers.set(plain, number);
    }
    this.#used.add(id);
    return id;
  }
}

function toId(id: string, form: 'keep' | 'nine', longest: number): string {
  if (form === 'nine') return shortHash(id, 9);
  const clean = id.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return clean.length > longest ? `${clean.slice(0, longest - 9)}_${shortHash(id, 8)}` : clean;
}

/** Which result answers which call of a conversation. Blocks are compared by identity: ids may repeat. */
export interface Pairing {
  /** Every tool_use block, in order. */
  readonly calls: readonly ContentBlock[];
  /** Call to result; a call that was interrupted has none. */
  readonly results: ReadonlyMap<ContentBlock, ContentBlock>;
  /** Results that answer no call. */
  readonly orphans: ReadonlySet<ContentBlock>;
}

/** Unanswered calls of one round that have the same id, in order; those before `next` are answered. */
interface Round {
  readonly round: number;
  readonly calls: ContentBlock[];
  next: number;
}

/**
 * Pairs by round: a result answers the latest round that holds an unanswered call with its id, however much later it
 * comes, and within that round the first such call.
 */
export function pairResults(messages: readonly RequestMessage[]): Pairing {
  const calls: ContentBlock[] = [];
  const results = new Map<ContentBlock, ContentBlock>();
  const orphans = new Set<ContentBlock>();
  const open = new Map<string, Round[]>();
  for (const [round, message] of messages.entries()) {
    if (typeof message.content === 'string') continue;
    for (const block of message.content) {
      if (block.type === 'tool_use') {
        const id = asString(block['id']) ?? '';
        const rounds = open.get(id) ?? [];
        if (rounds.at(-1)?.round === round) rounds.at(-1)?.calls.push(block);
        else rounds.push({ round, calls: [block], next: 0 });
        open.set(id, rounds);
        calls.push(block);
      } else if (block.type === 'tool_result') {
        const call = takeLatest(open.get(asString(block['tool_use_id']) ?? ''));
        if (call === undefined) orphans.add(block);
        else results.set(call, block);
      }
    }
  }
  return { calls, results, orphans };
}

function takeLatest(rounds: Round[] | undefined): ContentBlock | undefined {
  const latest = rounds?.at(-1);
  if (latest === undefined) return undefined;
  const call = latest.calls[latest.next];
  latest.next += 1;
  if (latest.next === latest.calls.length) rounds?.pop();
  return call;
}
