import { ApiError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { isTooDeep } from '../protocol/bounds.ts';
import type { FoundPage, SearchApi, SearchQuestion } from '../providers/searchApis.ts';

/** A page that was found, as it may be handed on: bounded, and without markup and control characters. */
export interface Page {
  readonly url: string;
  readonly title: string;
  readonly text: string;
  readonly age: string | null;
}

/** What a search has come to: pages, or one of the codes that Anthropic's own search fails with. */
export type SearchOutcome =
  | { readonly pages: readonly Page[] }
  | { readonly error: SearchErrorCode; readonly reason: string };

export type SearchErrorCode =
  | 'unavailable'
  | 'too_many_requests'
  | 'invalid_input'
  | 'max_uses_exceeded'
  | 'query_too_long';

/** Most pages of one search, and how many are asked for, so that some are left when domains are taken out. */
const PAGES_MAX = 10;
const PAGES_ASKED = 20;
/** Longest address, title, text and age of a page, in characters. */
const URL_MAX = 2000;
const TITLE_MAX = 200;
const TEXT_MAX = 1500;
const AGE_MAX = 40;
/** So much of a text is looked at: markup may be most of it. */
const RAW_MAX = 16 * 1024;
/** Longest query that is taken at all; a back end that takes less gets the beginning. */
export const QUERY_MAX = 1000;

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&apos;': "'",
  '&nbsp;': ' ',
};
const ENTITY = /&(?:amp|lt|gt|quot|#39|apos|nbsp);/g;
/** A tag, a comment or the like; an angle bracket before a blank or a digit is a sign of the text. */
const MARKUP = /<[/!?]?[a-zA-Z-][^<>]{0,1000}>/g;
/** Control characters, and those that nobody sees or that turn the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029\u115f\u1160\u3164\uffa0]+/gu;
const BLANKS = /\s+/g;

/** A text of the web as plain words on one line, at most so long. */
export function cleanText(raw: string, most: number): string {
  const decoded = raw.slice(0, RAW_MAX).replace(ENTITY, (entity) => ENTITIES[entity] ?? ' ');
  const plain = decoded.replace(MARKUP, ' ').replace(UNSEEN, ' ').replace(BLANKS, ' ').trim();
  // Not in the middle of a letter that takes two places.
  return plain
    .slice(0, most)
    .toWellFormed()
    .replace(/\ufffd$/, '')
    .trim();
}

/** The address of a page; undefined for what is none that a reader could open, or that holds a password. */
function cleanUrl(raw: string): string | undefined {
  const url = raw.length <= URL_MAX ? URL.parse(raw.trim()) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return url.href.length <= URL_MAX ? url.href : undefined;
}

/** Whether an address is in a domain: of the host or one below it, with the beginning of the path where the domain names one. */
export function isInDomain(address: string, domain: string): boolean {
  const [host = '', ...path] = domain
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/^\*\./, '')
    .split('/');
  const url = URL.parse(address);
  if (url === null || host === '') return false;
  const isHost = url.hostname === host || url.hostname.endsWith(`.${host}`);
  return isHost && url.pathname.toLowerCase().startsWith(`/${path.join('/')}`);
}

/** What the client wishes of its searches. */
export interface SearchWishes {
  readonly allowedDomains: readonly string[];
  readonly blockedDomains: readonly string[];
  readonly country: string | undefined;
}

/** Most domains that a query names; what comes from others is left out of the answer anyway. */
const SITES_MAX = 5;

function cutQuery(whole: string, most: number, words: number): string {
  const query = whole.split(' ').slice(0, words).join(' ');
  if (query.length <= most) return query;
  const cut = query.slice(0, most + 1);
  const blank = cut.lastIndexOf(' ');
  return cut.slice(0, blank > 0 ? blank : most).toWellFormed();
}

/** The question to a search API; an error for a query that cannot be asked. */
export function toQuestion(
  raw: string,
  wishes: SearchWishes,
  { queryMax, queryWords = QUERY_MAX, siteOperators }: Pick<SearchApi, 'queryMax' | 'queryWords' | 'siteOperators'>,
): SearchQuestion | (SearchOutcome & { readonly error: SearchErrorCode }) {
  const query = cleanText(raw, QUERY_MAX + 1);
  if (query === '') return { error: 'invalid_input', reason: 'the query is empty' };
  if (query.length > QUERY_MAX) return { error: 'query_too_long', reason: `more than ${QUERY_MAX} characters` };
  const { allowedDomains } = wishes;
  const names = allowedDomains.slice(0, SITES_MAX).map((domain) => `site:${domain}`);
  const sites = siteOperators !== true || names.length === 0 ? '' : ` (${names.join(' OR ')})`;
  const most = queryMax - sites.length;
  const words = queryWords - Math.max(0, 2 * names.length - 1); // an OR between two
  const asked = most > queryMax / 2 ? `${cutQuery(query, most, words)}${sites}` : cutQuery(query, queryMax, queryWords);
  return { ...wishes, query: asked, count: PAGES_ASKED };
}

/**
 * The pages of a search API's answer: each once, only of the domains that the client wants, and none that says nothing.
 * @throws ApiError for what is no answer of a search API
 */
export function readPages(
  api: Pick<SearchApi, 'read'>,
  answer: unknown,
  { allowedDomains, blockedDomains }: SearchWishes,
): readonly Page[] {
  if (!isObject(answer) || isTooDeep(answer)) throw new ApiError('bad_gateway', 'its answer is no JSON object');
  const pages = new Map<string, Page>();
  for (const found of api.read(answer)) {
    const page = cleanPage(found);
    if (page === undefined || pages.has(page.url)) continue;
    if (allowedDomains.length > 0 && !allowedDomains.some((domain) => isInDomain(page.url, domain))) continue;
    if (blockedDomains.some((domain) => isInDomain(page.url, domain))) continue;
    pages.set(page.url, page);
    if (pages.size === PAGES_MAX) break;
  }
  return [...pages.values()];
}

function cleanPage({ url: rawUrl, title, text, age = '' }: FoundPage): Page | undefined {
  const url = cleanUrl(rawUrl);
  if (url === undefined) return undefined;
  return {
    url,
    title: cleanText(title, TITLE_MAX) || new URL(url).hostname,
    text: cleanText(text, TEXT_MAX),
    age: cleanText(age, AGE_MAX) || null,
  };
}
