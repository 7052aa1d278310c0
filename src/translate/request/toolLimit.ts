import { asString, isObject, type JsonObject } from '../../core/json.ts';
import type { MessagesRequest, RequestMessage } from '../../protocol/anthropic/request.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { ToolDefinition } from './tools.ts';

/** What the names of tools from a tool server begin with; all others are the client's own. */
const MCP_PREFIX = 'mcp__';

/** Bounds of the work on one request: messages of the user and letters of it, of a name and of a description that are read. */
const MESSAGES_MAX = 500;
const MESSAGE_LETTERS = 4000;
const NAME_LETTERS = 200;
const DESCRIPTION_LETTERS = 400;
/** So many tools are compared with the user's words; those behind them keep the client's order. */
const COMPARED_MAX = 2000;
/** So often new words of the user may bring other tools in: each time the provider's prompt cache is lost. */
const CHANGES_MAX = 32;
/** At such a change at most this share of the tools goes, so that one more word does not bring the next change. */
const CHANGED_SHARE = 4;
/** A word in the name says more than one in the description. */
const NAME_WEIGHT = 3;

/**
 * At most as many tools as the server takes: the one that is forced, the client's own, those that the conversation has called or found,
 * and of the others those whose names and descriptions are nearest to the user's words.
 *
 * The choice follows the conversation from its first message on. So it is the same for the same beginning, and a turn more changes
 * it only where a tool was called that is not in it, or where the user names one: tools stand at the beginning of what the provider
 * caches. What comes in stands last. Decision 0028 has the reasons and figures.
 */
export function limitTools(
  tools: ReadonlyMap<string, ToolDefinition>,
  request: MessagesRequest,
  { toolsMax }: QuirkSettings,
  words: WordMemory,
  notes: Set<string>,
): ReadonlyMap<string, ToolDefinition> {
  if (toolsMax === undefined || tools.size <= toolsMax) return tools;
  const selection = new ToolSelection(tools, toolsMax, words);
  for (const message of request.messages) selection.read(message);
  const choice = request['tool_choice'];
  notes.add(`tools_left_out:${tools.size - toolsMax}`);
  return selection.tools(isObject(choice) ? asString(choice['name']) : undefined);
}

/** The words of what earlier requests of the conversation have had, too. */
export interface WordMemory {
  readonly messages: WeakMap<RequestMessage, ReadonlySet<string>>;
  /** By the schema that the client sent. */
  readonly tools: WeakMap<JsonObject, ToolWords>;
}

interface ToolWords {
  readonly name: string;
  readonly description: string;
  readonly named: ReadonlySet<string>;
  /** Those that the name has not. */
  readonly described: ReadonlySet<string>;
}

/** A tool with what the conversation so far says about it. */
interface Candidate {
  readonly definition: ToolDefinition;
  /** In the client's order. */
  readonly place: number;
  readonly isOwn: boolean;
  isUsed: boolean;
  /** The message of the user that last had a word of the name in it, or before which the tool was last called; 0 for none. */
  mentionedAt: number;
  /** How near the words of that message are. */
  nearness: number;
}

/** Below 0 where the first is worth more. */
function compareWorth(one: Candidate, other: Candidate): number {
  return (
    Number(other.isOwn) - Number(one.isOwn) ||
    Number(other.isUsed) - Number(one.isUsed) ||
    other.mentionedAt - one.mentionedAt ||
    other.nearness - one.nearness ||
    one.place - other.place
  );
}

/** Which tools are offered after each message of a conversation. */
class ToolSelection {
  readonly #most: number;
  readonly #candidates = new Map<string, Candidate>();
  /** In the order in which they are offered; empty before the user's first message. */
  readonly #chosen = new Set<Candidate>();
  readonly #index: WordIndex;
  readonly #words: WordMemory;
  #messages = 0;
  #changes = 0;

  constructor(tools: ReadonlyMap<string, ToolDefinition>, most: number, words: WordMemory) {
    this.#most = most;
    this.#words = words;
    for (const [name, definition] of tools) {
      const isOwn = !name.startsWith(MCP_PREFIX);
      const place = this.#candidates.size;
      this.#candidates.set(name, { definition, place, isOwn, isUsed: false, mentionedAt: 0, nearness: 0 });
    }
    const all = [...this.#candidates.values()];
    const others = all.filter(({ isOwn }) => !isOwn);
    // Where the client's own are too many by themselves, these are compared.
    this.#index = new WordIndex(all.length - others.length > most ? all : others, words);
  }

  read(message: RequestMessage): void {
    const { role, content } = message;
    for (const block of typeof content === 'string' ? [] : content) {
      if (block.type === 'tool_use') this.#use(asString(block['name']));
      else if (block.type === 'tool_result') this.#useFound(block['content']);
      else if (block.type === 'tool_addition') this.#use(nameOfAdded(block['tool']));
    }
    if (role !== 'user' || this.#messages >= MESSAGES_MAX) return;
    let words = this.#words.messages.get(message);
    if (words === undefined) {
      words = wordsOfUser(message);
      this.#words.messages.set(message, words);
    }
    this.#hear(words);
  }

  /** @param forced is offered in any case */
  tools(forced: string | undefined): ReadonlyMap<string, ToolDefinition> {
    this.#begin();
    const needed = this.#candidates.get(forced ?? '');
    if (needed !== undefined && !this.#chosen.has(needed)) {
      this.#chosen.delete(this.#leastWorth());
      this.#chosen.add(needed);
    }
    return new Map([...this.#chosen].map(({ definition }) => [definition.name, definition]));
  }

  #begin(): void {
    if (this.#chosen.size > 0) return;
    const inOrder = [...this.#candidates.values()].sort(compareWorth);
    for (const candidate of inOrder.slice(0, this.#most)) this.#chosen.add(candidate);
  }

  #hear(words: ReadonlySet<string>): void {
    const isFirst = this.#chosen.size === 0;
    if (words.size === 0 && !isFirst) return;
    this.#messages += 1;
    const matches = this.#index.compare(words);
    let nearest = 0;
    for (const [, { nearness }] of matches) nearest = Math.max(nearest, nearness);
    const named = [...matches].filter(([, { isNamed }]) => isNamed);
    for (const [candidate, { nearness }] of isFirst ? matches : named) {
      candidate.nearness = nearness;
    }
    for (const [candidate] of named) candidate.mentionedAt = this.#messages;
    if (isFirst) this.#begin();
    else {
      const missing = named.filter(([candidate]) => !this.#chosen.has(candidate));
      // As long as what is nearest is offered, or a tool as near has been called, nothing has to change.
      const isServed = named.some(([{ isUsed }, match]) => isUsed && match.nearness === nearest);
      if (!isServed && missing.some(([, { nearness }]) => nearness === nearest)) {
        const near = missing.filter(([, { nearness }]) => nearness >= nearest / 2).map(([candidate]) => candidate);
        this.#exchange(near.sort(compareWorth));
      }
    }
  }

  #exchange(wanted: readonly Candidate[]): void {
    if (this.#changes >= CHANGES_MAX) return;
    this.#changes += 1;
    for (const candidate of wanted.slice(0, Math.ceil(this.#most / CHANGED_SHARE))) this.#admit(candidate);
  }

  #use(name: string | undefined): void {
    const candidate = this.#candidates.get(name ?? '');
    if (candidate === undefined) return;
    candidate.isUsed = true;
    candidate.mentionedAt = this.#messages;
    if (this.#chosen.size > 0 && !this.#chosen.has(candidate)) this.#admit(candidate);
  }

  #useFound(content: unknown): void {
    if (!Array.isArray(content)) return;
    for (const part of content) {
      if (isObject(part) && part['type'] === 'tool_reference') this.#use(asString(part['tool_name']));
    }
  }

  /** Takes a tool in for one that is worth less, where there is one. */
  #admit(candidate: Candidate): void {
    const least = this.#leastWorth();
    if (compareWorth(candidate, least) > 0) return;
    this.#chosen.delete(least);
    this.#chosen.add(candidate);
  }

  #leastWorth(): Candidate {
    return [...this.#chosen].reduce((least, candidate) => (compareWorth(candidate, least) > 0 ? candidate : least));
  }
}

function nameOfAdded(tool: unknown): string | undefined {
  if (!isObject(tool)) return undefined;
  const { definition } = tool;
  return asString((isObject(definition) ? definition : tool)['name']);
}

const REMINDER = '<system-reminder>';
const REMINDER_END = '</system-reminder>';

/** The words of one message without what the client has put into it; of a long one its beginning and its end. */
function wordsOfUser({ content }: RequestMessage): ReadonlySet<string> {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const texts = blocks.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []));
  const text = texts.map(removeReminders).join('\n');
  const half = MESSAGE_LETTERS / 2;
  return new Set(readWords(text.length <= MESSAGE_LETTERS ? text : `${text.slice(0, half)}\n${text.slice(-half)}`));
}

function removeReminders(text: string): string {
  let begin = text.indexOf(REMINDER);
  if (begin < 0) return text;
  let rest = '';
  let end = 0;
  while (begin >= 0) {
    rest += text.slice(end, begin);
    const close = text.indexOf(REMINDER_END, begin);
    if (close < 0) return rest;
    end = close + REMINDER_END.length;
    begin = text.indexOf(REMINDER, end);
  }
  return rest + text.slice(end);
}

/** A run of letters and digits; `readHTTPServer` has three. */
const WORD = /\p{Lu}?[\p{Ll}\p{Lo}\p{M}\p{N}]+|\p{Lu}+(?!\p{Ll})/gu;
/** So many letters of a word count, so that `searching` is the same as `search`. */
const WORD_LETTERS = 6;
/** From here on are the letters of languages that put no spaces between words. */
const UNSPACED = 0x3040;
/** They stand in names and in what users write, and say nothing about either. */
const EMPTY_WORDS = new Set(
  'an and any are as at be by can do for from has have how if in into is it its me my no not of on or our please so some than that the them then there these this to up us was we what when where which who will with would you your'.split(
    ' ',
  ),
);

/** The words of a text in a form in which they can be compared. */
function* readWords(text: string): Generator<string> {
  for (const [run] of text.matchAll(WORD)) {
    const word = run.toLowerCase();
    if (word.length < 2 || EMPTY_WORDS.has(word)) continue;
    if ((word.codePointAt(0) ?? 0) < UNSPACED) {
      yield (word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word).slice(0, WORD_LETTERS);
      continue;
    }
    const letters = [...word];
    for (let at = 1; at < letters.length; at += 1) yield `${letters[at - 1]}${letters[at]}`;
  }
}

interface Match {
  nearness: number;
  /** Whether a word stands in the name. */
  isNamed: boolean;
}

/** Which tools have a word in their name or description: a rare one counts more, and one of more than half of them nothing. */
class WordIndex {
  readonly #count: number;
  readonly #named = new Map<string, Candidate[]>();
  readonly #described = new Map<string, Candidate[]>();

  constructor(all: readonly Candidate[], memory: WordMemory) {
    const candidates = all.slice(0, COMPARED_MAX);
    this.#count = candidates.length;
    for (const candidate of candidates) {
      const { named, described } = wordsOfTool(candidate.definition, memory);
      for (const word of named) addTo(this.#named, word, candidate);
      for (const word of described) addTo(this.#described, word, candidate);
    }
  }

  compare(words: ReadonlySet<string>): ReadonlyMap<Candidate, Match> {
    const matches = new Map<Candidate, Match>();
    const add = (candidate: Candidate, weight: number, isNamed: boolean) => {
      const match = matches.get(candidate);
      if (match === undefined) matches.set(candidate, { nearness: weight, isNamed });
      else {
        match.nearness += weight;
        match.isNamed ||= isNamed;
      }
    };
    for (const word of words) {
      const named = this.#named.get(word) ?? [];
      const described = this.#described.get(word) ?? [];
      const count = named.length + described.length;
      if (count === 0 || count > this.#count / 2) continue;
      const weight = Math.log(this.#count / count);
      for (const candidate of named) add(candidate, weight * NAME_WEIGHT, true);
      for (const candidate of described) add(candidate, weight, false);
    }
    return matches;
  }
}

function addTo(index: Map<string, Candidate[]>, word: string, candidate: Candidate): void {
  const list = index.get(word);
  if (list === undefined) index.set(word, [candidate]);
  else list.push(candidate);
}

function wordsOfTool({ name, description, schema }: ToolDefinition, { tools }: WordMemory): ToolWords {
  const known = tools.get(schema);
  if (known?.name === name && known.description === description) return known;
  const named = new Set(readWords(name.slice(0, NAME_LETTERS)));
  const described = new Set(readWords(description.slice(0, DESCRIPTION_LETTERS)));
  for (const word of named) described.delete(word);
  const words = { name, description, named, described };
  tools.set(schema, words);
  return words;
}
