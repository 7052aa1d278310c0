import { asString, isObject, type JsonObject } from '../core/json.ts';

/** What a search API is asked for. */
export interface SearchQuestion {
  readonly query: string;
  /** Most pages. */
  readonly count: number;
  /** Hosts, or hosts with the beginning of a path; at most one of both lists has any. */
  readonly allowedDomains: readonly string[];
  readonly blockedDomains: readonly string[];
  /** Where the user is: two letters of ISO 3166, in capitals. */
  readonly country: string | undefined;
}

/** A page as a search API names it, unchecked. */
export interface FoundPage {
  readonly url: string;
  readonly title: string;
  /** What the page says about the question. */
  readonly text: string;
  /** Its date or age, in the words of the API. */
  readonly age?: string | undefined;
}

/** How one search API is asked, and how its answer is read. Data, so that a new one is one entry of the table below. */
export interface SearchApi {
  /** Value of WEB_SEARCH. */
  readonly name: string;
  readonly title: string;
  /** Without a path; empty where the user must give it. */
  readonly origin: string;
  readonly path: string;
  /** Lower-case name of the header that carries the key: `authorization` as a bearer token, any other as it is; absent without a key. */
  readonly keyHeader?: string;
  /** The presets whose key is taken here, too. */
  readonly presets: readonly string[];
  /** Most characters of a query. A longer one is cut between words. */
  readonly queryMax: number;
  /** Most words of a query, where they are counted, too. */
  readonly queryWords?: number;
  /** Whether the query may hold `site:` operators, by which it keeps to domains. */
  readonly siteOperators?: true;
  /** US dollars for a search; undefined where it is a part of a plan. */
  readonly price: number | undefined;
  /** Whether a search without a result costs nothing. */
  readonly emptyIsFree?: true;
  /** Parameters of a GET request. */
  readonly parameters?: (question: SearchQuestion) => Readonly<Record<string, string>>;
  /** The JSON of a POST request. */
  readonly body?: (question: SearchQuestion) => JsonObject;
  readonly read: (answer: JsonObject) => readonly FoundPage[];
  readonly links: { readonly keys?: string; readonly docs: string };
  /** Where the facts are from, and when they were read, YYYY-MM-DD. Nothing here was called for real. */
  readonly source: string;
  readonly checked: string;
}

/** Most entries of a list that are looked at; no search API is asked for as many. */
const ENTRIES_MAX = 100;

/** The objects of a list below some members of an answer; none where there is no such list. */
function entriesOf(answer: JsonObject, ...path: readonly string[]): readonly JsonObject[] {
  let value: unknown = answer;
  for (const member of path) value = isObject(value) ? value[member] : undefined;
  return Array.isArray(value) ? value.slice(0, ENTRIES_MAX).filter(isObject) : [];
}

/** The first of some members that has words. */
function words(entry: JsonObject, ...names: readonly string[]): string {
  return names.map((name) => asString(entry[name]) ?? '').find((text) => text !== '') ?? '';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, ENTRIES_MAX).filter((one) => typeof one === 'string') : [];
}

export const searchApis: readonly SearchApi[] = [
  {
    name: 'brave',
    title: 'Brave Search',
    origin: 'https://api.search.brave.com',
    path: '/res/v1/web/search',
    keyHeader: 'x-subscription-token',
    presets: [],
    queryMax: 400,
    queryWords: 50,
    siteOperators: true,
    price: 0.005,
    parameters: ({ query, count, country }) => ({
      q: query,
      count: String(count),
      text_decorations: 'false',
      extra_snippets: 'true',
      result_filter: 'web',
      ...(country === undefined ? {} : { country }),
    }),
    read: (answer) =>
      entriesOf(answer, 'web', 'results').map((entry) => ({
        url: words(entry, 'url'),
        title: words(entry, 'title'),
        text: [words(entry, 'description'), ...texts(entry['extra_snippets'])].join('\n'),
        age: words(entry, 'page_age', 'age'),
      })),
    links: {
      keys: 'https://api-dashboard.search.brave.com',
      docs: 'https://api-dashboard.search.brave.com/api-reference/web/search/get',
    },
    source: 'the vendor’s reference; the price from its plans as others quote them',
    checked: '2026-11-30',
  },
  {
    name: 'tavily',
    title: 'Tavily',
    origin: 'https://api.tavily.com',
    path: '/search',
    keyHeader: 'authorization',
    presets: [],
    queryMax: 400,
    price: 0.008,
    body: ({ query, count, allowedDomains, blockedDomains }) => ({
      query,
      max_results: count,
      search_depth: 'basic',
      ...(allowedDomains.length > 0 ? { include_domains: [...allowedDomains] } : {}),
      ...(blockedDomains.length > 0 ? { exclude_domains: [...blockedDomains] } : {}),
    }),
    read: (answer) =>
      entriesOf(answer, 'results').map((entry) => ({
        url: words(entry, 'url'),
        title: words(entry, 'title'),
        text: words(entry, 'content'),
        age: words(entry, 'published_date'),
      })),
    links: {
      keys: 'https://app.tavily.com',
      docs: 'https://docs.tavily.com/documentation/api-reference/endpoint/search',
    },
    source: 'the vendor’s reference; a basic search is one credit',
    checked: '2026-11-30',
  },
  {
    name: 'searxng',
    title: 'SearXNG',
    origin: '',
    path: '/search',
    presets: [],
    queryMax: 1000,
    siteOperators: true,
    price: 0,
    parameters: ({ query }) => ({ q: query, format: 'json', categories: 'general' }),
    read: (answer) =>
      entriesOf(answer, 'results').map((entry) => ({
        url: words(entry, 'url'),
        title: words(entry, 'title'),
        text: words(entry, 'content'),
        age: words(entry, 'publishedDate'),
      })),
    links: { docs: 'https://docs.searxng.org/dev/search_api.html' },
    source: 'the project’s documentation',
    checked: '2026-11-30',
  },
  {
    name: 'deepseek',
    title: 'DeepSeek Search',
    origin: 'https://api.deepseek.com',
    path: '/v1/tools/search',
    keyHeader: 'authorization',
    presets: ['deepseek', 'deepseek-anthropic'],
    queryMax: 128,
    siteOperators: true,
    price: 0.000_75,
    emptyIsFree: true,
    body: ({ query, count }) => ({ query, count }),
    read: (answer) => {
      const listed = entriesOf(answer, 'results');
      return (listed.length > 0 ? listed : entriesOf(answer, 'data', 'results')).map((entry) => ({
        url: words(entry, 'url'),
        title: words(entry, 'title'),
        text: words(entry, 'summary', 'snippet', 'content'),
        age: words(entry, 'date', 'published_at', 'publish_date'),
      }));
    },
    links: { keys: 'https://platform.deepseek.com/api_keys', docs: 'https://api-docs.deepseek.com/guides/search' },
    source: 'the vendor’s guide as other projects quote it, as its form of an answer is not quoted in full',
    checked: '2026-11-30',
  },
  {
    name: 'zai',
    title: 'Z.ai Web Search',
    origin: 'https://api.z.ai',
    path: '/api/paas/v4/web_search',
    keyHeader: 'authorization',
    presets: ['glm', 'glm-anthropic', 'glm-coding'],
    queryMax: 70,
    price: 0.01,
    body: ({ query, count, allowedDomains }) => ({
      search_engine: 'search-prime',
      search_query: query,
      count,
      ...(allowedDomains.length === 1 ? { search_domain_filter: allowedDomains[0] } : {}),
    }),
    read: (answer) =>
      entriesOf(answer, 'search_result').map((entry) => ({
        url: words(entry, 'link'),
        title: words(entry, 'title'),
        text: words(entry, 'content'),
        age: words(entry, 'publish_date'),
      })),
    links: { keys: 'https://z.ai/manage-apikey/apikey-list', docs: 'https://docs.z.ai/api-reference/tools/web-search' },
    source: 'the vendor’s reference and its SDK; the price as users measured it',
    checked: '2026-11-30',
  },
  {
    name: 'kimi',
    title: 'Kimi Code search',
    origin: 'https://api.kimi.com',
    path: '/coding/v1/search',
    keyHeader: 'authorization',
    presets: ['kimi-coding', 'kimi-coding-anthropic'],
    queryMax: 1000,
    price: undefined,
    body: ({ query, count }) => ({ text_query: query, limit: count, enable_page_crawling: false, timeout_seconds: 8 }),
    read: (answer) =>
      entriesOf(answer, 'search_results').map((entry) => ({
        url: words(entry, 'url'),
        title: words(entry, 'title'),
        text: words(entry, 'content', 'snippet'),
        age: words(entry, 'date'),
      })),
    links: { keys: 'https://www.kimi.com/code/console', docs: 'https://www.kimi.com/code/docs' },
    source: 'the source of the vendor’s own command line client; it is not documented otherwise',
    checked: '2026-11-30',
  },
  {
    name: 'gemini',
    title: 'Grounding with Google Search',
    origin: 'https://generativelanguage.googleapis.com',
    path: '/v1beta/models/gemini-3.8-flash:generateContent',
    keyHeader: 'x-goog-api-key',
    presets: ['gemini'],
    queryMax: 1000,
    price: 0.014,
    body: ({ query }) => ({ contents: [{ role: 'user', parts: [{ text: query }] }], tools: [{ google_search: {} }] }),
    read: (answer) => {
      const [candidate] = entriesOf(answer, 'candidates');
      if (candidate === undefined) return [];
      const supports = entriesOf(candidate, 'groundingMetadata', 'groundingSupports');
      return entriesOf(candidate, 'groundingMetadata', 'groundingChunks').flatMap(({ web }, index) => {
        if (!isObject(web)) return [];
        const said = supports.filter(
          ({ groundingChunkIndices: chunks }) => Array.isArray(chunks) && chunks.includes(index),
        );
        const text = said.map(({ segment }) => (isObject(segment) ? words(segment, 'text') : '')).join('\n');
        return [{ url: words(web, 'uri'), title: words(web, 'title'), text }];
      });
    },
    links: { keys: 'https://aistudio.google.com/apikey', docs: 'https://ai.google.dev/gemini-api/docs/google-search' },
    source: 'the vendor’s guide; the model that searches costs its tokens besides',
    checked: '2026-11-30',
  },
];

/** The values of WEB_SEARCH. */
export const searchChoices: readonly string[] = [...searchApis.map(({ name }) => name), 'provider', 'off'];

/** The search API that takes the key of a preset; undefined where none does. */
export function searchApiOf(preset: string): SearchApi | undefined {
  return searchApis.find(({ presets }) => presets.includes(preset));
}
