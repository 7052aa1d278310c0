import {
  blockPageMarks,
  type RefusalClass,
  refusalCodes,
  refusalWords,
} from '../providers/wordings/refusalWordings.ts';
import { searchable } from './overflow.ts';
import type { ResponseHeaders } from './upstream.ts';

/** The order in which the classes are tried, the most certain words first. */
const ORDER = Object.keys(refusalWords) as readonly RefusalClass[];

/**
 * What a refusal is about, by its names or its words; undefined when neither says it.
 * @param text message of the error
 * @param names its code and type, as far as known
 */
export function classifyRefusal(text: string, names: readonly (string | undefined)[] = []): RefusalClass | undefined {
  for (const name of names) {
    const known = name?.toLowerCase() ?? '';
    if (Object.hasOwn(refusalCodes, known)) return refusalCodes[known];
    if (known.startsWith('billing_')) return 'billing';
  }
  const words = searchable(text);
  return ORDER.find((refusal) => refusalWords[refusal].some((wording) => wording.words.test(words)));
}

/** Most efforts that a list is read for. */
const EFFORT = /\b(?:none|minimal|low|medium|high|xhigh|max)\b/g;
const EFFORT_LIST = /(?:supported values|valid levels|valid values|allowed values|one of)[^a-z]{1,12}(?:are)?/;

/** The efforts that a model takes, as its refusal of another lists them; empty where it lists none. */
export function readEfforts(text: string): readonly string[] {
  const words = searchable(text);
  const list = EFFORT_LIST.exec(words);
  if (list === null) return [];
  return [...new Set(words.slice(list.index, list.index + 200).match(EFFORT) ?? [])];
}

/** A page of a firewall or a network proxy, by which a request never reached the provider: whose page it is, or undefined when it is none. */
export function readBlockPage(status: number, headers: ResponseHeaders, body: string): string | undefined {
  if (!body.trimStart().startsWith('<')) return undefined;
  const challenged = headers['cf-mitigated'] === 'challenge' || body.includes('<title>Just a moment');
  if (status !== 403 && !(status === 503 && challenged)) return undefined;
  const page = searchable(body);
  const owner = blockPageMarks.find(({ words }) => words.test(page))?.owner;
  return owner ?? (headers['cf-ray'] === undefined ? 'a firewall or network proxy' : 'Cloudflare');
}
