import { asNumber, asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import type { HeldBudget } from '../bounds.ts';
import type { Citation, Delta } from '../delta.ts';

/** A search of the web that the provider has done by itself. */
export interface HostedSearch {
  readonly query: string;
  readonly hasFailed: boolean;
  /** Addresses of what was found. */
  readonly sources: readonly string[];
}

/** Most sources of one search and of one message that are passed on. */
const SOURCES_MAX = 100;
/** Longest query, title and cited text that are passed on, and the longest address. */
const WORDS_MAX = 1000;
const ADDRESS_MAX = 4000;
/** As long as Anthropic's. */
const CITED_TEXT_MAX = 150;

/** What OpenAI adds to the addresses in citations, and not to those of the sources. */
const TRACKING = 'utm_source=openai';

/** The search of a `web_search_call`; undefined for what else it stands for, as the opening of a page that was found. */
export function readSearch(item: JsonObject, held: HeldBudget): HostedSearch | undefined {
  const action = isObject(item['action']) ? item['action'] : {};
  if ((asString(action['type']) ?? 'search') !== 'search') return undefined;
  const queries = Array.isArray(action['queries']) ? action['queries'].slice(0, SOURCES_MAX).map(asString) : [];
  const query = (asString(action['query']) || queries.filter(Boolean).join(', ')).slice(0, WORDS_MAX);
  const sources = new Set<string>();
  for (const source of Array.isArray(action['sources']) ? action['sources'].slice(0, SOURCES_MAX) : []) {
    const address = isObject(source) ? addressOf(source) : undefined;
    if (address !== undefined) sources.add(address);
  }
  held.add(query.length + [...sources].reduce((sum, { length }) => sum + length, 0));
  return { query, hasFailed: item['status'] === 'failed', sources: [...sources] };
}

/** The sources that the parts of a message name. */
export function readCitations(parts: Json | undefined, held: HeldBudget): readonly Citation[] {
  const citations: Citation[] = [];
  for (const part of Array.isArray(parts) ? parts : []) {
    const annotations = isObject(part) ? part['annotations'] : undefined;
    if (!isObject(part) || !Array.isArray(annotations)) continue;
    const text = asString(part['text']) ?? '';
    for (const annotation of annotations) {
      if (citations.length >= SOURCES_MAX) return citations;
      if (!isObject(annotation) || annotation['type'] !== 'url_citation') continue;
      const url = addressOf(annotation);
      if (url === undefined) continue;
      const title = (asString(annotation['title']) || url).slice(0, WORDS_MAX);
      const from = asNumber(annotation['start_index']) ?? 0;
      const cited = text.slice(from, asNumber(annotation['end_index']) ?? from).slice(0, CITED_TEXT_MAX);
      held.add(url.length + title.length + cited.length);
      citations.push({ url, title, text: cited });
    }
  }
  return citations;
}

function addressOf({ url }: JsonObject): string | undefined {
  const given = asString(url) ?? '';
  const address = given.endsWith(TRACKING) ? given.slice(0, -TRACKING.length - 1) : given;
  return address !== '' && address.length <= ADDRESS_MAX ? address : undefined;
}

/**
 * The searches of an answer. A search says where it has looked, if at all, and the message behind it what the pages are called: so
 * what was found is written when that message is known as a whole.
 */
export class SearchResults {
  readonly #emit: (delta: Delta) => void;
  #waiting: HostedSearch[] = [];

  constructor(emit: (delta: Delta) => void) {
    this.#emit = emit;
  }

  /** Whether the results of a search are still to be written. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  begin(search: HostedSearch): void {
    this.#waiting.push(search);
    this.#emit({ kind: 'search', query: search.query });
  }

  /** Writes what all searches since the last message have found. Pages that are only cited count as found by the last of them. */
  write(citations: readonly Citation[]): void {
    const titles = new Map(citations.map(({ url, title }) => [url, title]));
    const found = new Set(this.#waiting.flatMap(({ sources }) => sources));
    const onlyCited = [...titles.keys()].filter((url) => !found.has(url));
    for (const [index, { sources, hasFailed }] of this.#waiting.entries()) {
      const isLast = index === this.#waiting.length - 1;
      const pages = (isLast ? [...sources, ...onlyCited] : sources).map((url) => ({
        url,
        title: titles.get(url) ?? url,
      }));
      this.#emit({ kind: 'searchResult', ...(hasFailed && pages.length === 0 ? {} : { pages }) });
    }
    this.#waiting = [];
  }
}
