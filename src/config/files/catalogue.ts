import { join } from 'node:path';
import * as z from 'zod/mini';
import { isObject, type JsonObject, parseObject } from '../../core/json.ts';
import { type LongInputRates, multiplyRates, type Prices, type Rates } from '../../core/models.ts';
import { terminalSafe } from '../../core/text.ts';
import type { ModelFacts, Preset } from '../../providers/preset.ts';
import { createDiagnostics, type Diagnostics } from '../diagnostics.ts';
import { type CompanionFiles, isMissing, readErrorCode } from './companion.ts';
import { DAY } from './pricesFile.ts';

/** Where the facts that were taken from a public catalogue are kept, from the project's folder. */
export const CATALOGUE_FILE = join('state', 'catalogue.json');

/** What a catalogue says of a model. */
export interface ListedModel {
  /** Tokens. */
  readonly contextWindow?: number;
  /** Tokens; the most that the vendor allows. */
  readonly maxOutput?: number;
  readonly prices?: Rates & { readonly longInput?: LongInputRates };
}

/** Models by the catalogue's name of their provider, then by their own. */
export type ListedModels = Readonly<Record<string, Readonly<Record<string, ListedModel>>>>;

/** Facts of a public catalogue about models that presets know. */
export interface Catalogue {
  /** Day of the facts in UTC, YYYY-MM-DD. */
  readonly date: string;
  /** Address or file that they were taken from. */
  readonly source: string;
  readonly providers: ListedModels;
}

/** A wrong figure, like a price in cents or a window in thousands of tokens, is rather left out than believed. */
const MOST_DOLLARS = 10_000;
const LEAST_TOKENS = 1_000;
const MOST_TOKENS = 1_000_000_000;

// All schemas are made when a catalogue is read: few instances have one, and to make them was 9 % of the work of a start (in a profile).
const createPrice = () => z.number().check(z.minimum(0), z.maximum(MOST_DOLLARS));
const createTokens = () => z.int().check(z.minimum(LEAST_TOKENS), z.maximum(MOST_TOKENS));
const createPosition = () => z.int().check(z.minimum(1), z.maximum(MOST_TOKENS));

/** A model of models.dev's api.json, as far as it is read, and a step of its prices. */
function createPublicForms() {
  const price = createPrice();
  const rates = { input: price, output: price, cache_read: z.optional(price), cache_write: z.optional(price) };
  // Catalogues write 0 for what nobody knows.
  const tokens = z.optional(z.union([z.literal(0), createTokens()]));
  const cost = z.object({
    ...rates,
    tiers: z.optional(z.array(z.unknown()).check(z.maxLength(16))),
    context_over_200k: z.optional(z.object(rates)),
  });
  return {
    model: z.object({
      limit: z.optional(z.object({ context: tokens, input: tokens, output: tokens })),
      cost: z.optional(cost),
    }),
    tier: z.object({ ...rates, tier: z.object({ type: z.literal('context'), size: createPosition() }) }),
  };
}
type PublicForms = ReturnType<typeof createPublicForms>;
type PublicModel = z.infer<PublicForms['model']>;
type PublicCost = NonNullable<PublicModel['cost']>;

const MOST_PROVIDERS = 5_000;
const MOST_MODELS = 100_000;
const MOST_DEPTH = 32;

/** How deep lists and objects of a JSON text stand in each other; known before it is parsed, which takes memory for each level. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') isInString = !isInString;
    else if (isInString) index += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

function toRates({
  input,
  output,
  cache_read: cacheRead,
  cache_write: cacheWrite,
}: Pick<PublicCost, 'input' | 'output' | 'cache_read' | 'cache_write'>): Rates {
  const rates = {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  };
  // Catalogues made from prices per token have figures like 0.09999999999999999.
  return multiplyRates(rates, 1);
}

/** The rates of long input: of the first step where there are several, as presets have one. */
function toLongInput(
  { tiers = [], context_over_200k: over200k }: PublicCost,
  form: PublicForms['tier'],
): LongInputRates | undefined {
  const steps = tiers.flatMap((tier) => form.safeParse(tier).data ?? []);
  const [first] = steps.toSorted((one, other) => one.tier.size - other.tier.size);
  if (first !== undefined) return { above: first.tier.size, ...toRates(first) };
  return over200k === undefined ? undefined : { above: 200_000, ...toRates(over200k) };
}

function toListedModel({ limit = {}, cost }: PublicModel, { tier }: PublicForms): ListedModel {
  // What a request may hold, where that is less than the whole window.
  const contextWindow = limit.input || limit.context;
  const longInput = cost && toLongInput(cost, tier);
  return {
    ...(contextWindow ? { contextWindow } : {}),
    ...(limit.output ? { maxOutput: limit.output } : {}),
    ...(cost === undefined ? {} : { prices: { ...toRates(cost), ...(longInput === undefined ? {} : { longInput }) } }),
  };
}

/** The object under a name that the file itself has. */
function objectIn(object: JsonObject, name: string): JsonObject | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isObject(value) ? value : undefined;
}

/** What was found of a public catalogue, or why nothing of it can be used. */
export type ReadCatalogue =
  | {
      readonly fault?: undefined;
      readonly providers: ListedModels;
      /** Of how many known models it says something. */
      readonly found: number;
      readonly known: number;
      /** Known models whose entry is wrong, with what is wrong. */
      readonly skipped: readonly string[];
    }
  | { readonly fault: string };

/**
 * Reads a public catalogue in the form of models.dev's api.json, whose text nobody has looked at: of models that presets know, and
 * of them window, output limit and prices. Everything else in it counts for nothing.
 */
export function readPublicCatalogue(text: string, presets: readonly Preset[]): ReadCatalogue {
  if (depthOf(text) > MOST_DEPTH) return { fault: `JSON more than ${MOST_DEPTH} levels deep` };
  const root = parseObject(text);
  if (root === undefined) return { fault: 'no JSON object' };
  const entries = Object.values(root);
  const count = entries.reduce<number>((sum, one) => {
    const models = isObject(one) ? objectIn(one, 'models') : undefined;
    return sum + (models === undefined ? 0 : Object.keys(models).length);
  }, 0);
  if (entries.length > MOST_PROVIDERS || count > MOST_MODELS)
    return { fault: `${entries.length} providers with ${count} models, which is too much` };
  const providers: Record<string, Record<string, ListedModel>> = {};
  const skipped = new Set<string>();
  let found = 0;
  const wanted = knownModels(presets);
  const forms = createPublicForms();
  for (const [provider, model] of wanted) {
    const models = objectIn(objectIn(root, provider) ?? {}, 'models') ?? {};
    if (!Object.hasOwn(models, model)) continue;
    const { data, error } = forms.model.safeParse(models[model]);
    if (data === undefined) {
      skipped.add(`${provider} ${model}: ${error?.issues[0]?.path.join('.') || 'its entry'} is wrong`);
      continue;
    }
    providers[provider] = { ...providers[provider], [model]: toListedModel(data, forms) };
    found += 1;
  }
  if (found === 0 && skipped.size === 0)
    return { fault: 'nothing about any model that is known here; models.dev’s api.json has the form that is read' };
  return { providers, found, known: wanted.length, skipped: [...skipped] };
}

/** Every model that a catalogue may say something of, once: the catalogue's name of its provider, and its own. */
function knownModels(presets: readonly Preset[]): readonly (readonly [provider: string, model: string])[] {
  const all = presets.flatMap(({ catalogue, models }) =>
    catalogue === undefined ? [] : Object.keys(models).map((model) => [catalogue, model] as const),
  );
  return [...new Map(all.map((pair) => [pair.join(' '), pair])).values()];
}

/** The form of {@link CATALOGUE_FILE}. The number changes when an older program would misread it. */
function createKeptForm() {
  const price = createPrice();
  const tokens = createTokens();
  const optionalPrice = z.exactOptional(price);
  const rates = { input: price, output: price, cacheRead: optionalPrice, cacheWrite: optionalPrice };
  const longInput = z.object({ ...rates, above: createPosition() });
  const model = z.object({
    contextWindow: z.exactOptional(tokens),
    maxOutput: z.exactOptional(tokens),
    prices: z.exactOptional(z.object({ ...rates, longInput: z.exactOptional(longInput) })),
  });
  return z.object({
    schema: z.literal(1),
    date: z.string().check(z.regex(DAY)),
    source: z.string().check(
      z.maxLength(400),
      z.refine((text) => terminalSafe(text) === text),
    ),
    providers: z.record(z.string(), z.record(z.string(), model)),
  });
}

/** The text of {@link CATALOGUE_FILE}. */
export function catalogueText(catalogue: Catalogue): string {
  return `${JSON.stringify({ schema: 1, ...catalogue }, undefined, 2)}\n`;
}

const MOST_LETTERS = 1_048_576;

/**
 * The catalogue that is kept. One that cannot be used is a warning and no more: without it the presets' own facts hold, with which
 * an instance works as well.
 */
export function readKeptCatalogue(files: Pick<CompanionFiles, 'read'>): {
  readonly catalogue: Catalogue | undefined;
  readonly diagnostics: Diagnostics;
} {
  const diagnostics = createDiagnostics(CATALOGUE_FILE);
  const ignore = (found: string) => {
    const fix = 'Run: ./manage providers --refresh (or remove the file; it is ignored until then)';
    diagnostics.warning({ name: 'catalogue' }, found, fix);
    return { catalogue: undefined, diagnostics };
  };
  let text: string;
  try {
    ({ text } = files.read(CATALOGUE_FILE));
  } catch (error) {
    return isMissing(error)
      ? { catalogue: undefined, diagnostics }
      : ignore(`no file to read (${readErrorCode(error)})`);
  }
  if (text.length > MOST_LETTERS || depthOf(text) > MOST_DEPTH) return ignore('more than a catalogue of models has');
  const { data, error } = createKeptForm().safeParse(parseObject(text));
  if (error === undefined) return { catalogue: data, diagnostics };
  // Only the first step of its path is a name of ours; the others may be anything.
  const [issue] = error.issues;
  return ignore(
    issue?.path[0] === undefined ? 'no catalogue of models' : `something wrong in ${String(issue.path[0])}`,
  );
}

function ownEntry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Rates that a catalogue does not have, changed as the ordinary ones have changed. */
function inProportion<T extends Rates>(rates: T, before: Rates, after: Rates): T {
  const factor = (old: number, now: number) => (old === 0 ? 1 : now / old);
  const input = multiplyRates(rates, factor(before.input, after.input));
  const { output } = multiplyRates(rates, factor(before.output, after.output));
  return { ...rates, ...input, output };
}

/**
 * The prices of a model after a catalogue: its rates from its day on, in place of all until then; changes that are announced for
 * later days stay. What it does not say, as of hours of the day or the cache, keeps its proportion to the ordinary rates.
 */
function refreshPrices(present: Prices | undefined, listed: NonNullable<ListedModel['prices']>, date: string): Prices {
  if (present === undefined) return listed;
  const { changes = [], ...first } = present;
  const dated = changes.findLast(({ from }) => from <= date);
  const { from: _day, ...current } = dated === undefined ? { ...first, from: '' } : dated;
  const later = changes.filter(({ from }) => from > date);
  const { longInput: listedLong, ...listedRates } = listed;
  const { cacheRead, cacheWrite } = inProportion(current, current, listedRates);
  const { longInput = current.longInput, peak } = current;
  // A catalogue that knows one step alone has it at 200,000, wherever the vendor's is.
  const above = listedLong?.above === 200_000 ? (longInput?.above ?? 200_000) : listedLong?.above;
  const long =
    listedLong !== undefined && above !== undefined
      ? { ...listedLong, above }
      : longInput && inProportion(longInput, current, listedRates);
  return {
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    ...listedRates,
    ...(long === undefined ? {} : { longInput: long }),
    ...(peak === undefined ? {} : { peak: inProportion(peak, current, listedRates) }),
    ...(later.length === 0 ? {} : { changes: later }),
  };
}

function refreshFacts(facts: ModelFacts, listed: ListedModel, date: string): ModelFacts {
  const contextWindow = listed.contextWindow ?? facts.contextWindow;
  // A preset's limit is how much is asked for, often less than the vendor allows: it never grows, and shrinks where more is refused.
  const limits = [facts.maxOutput, listed.maxOutput].filter((limit) => limit !== undefined);
  const maxOutput = limits.length === 0 ? undefined : Math.min(...limits);
  const prices = listed.prices === undefined ? facts.prices : refreshPrices(facts.prices, listed.prices, date);
  return {
    ...facts,
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
    ...(prices === undefined ? {} : { prices }),
    refreshed: date,
  };
}

/**
 * The preset with what a catalogue says of its models in place of what it says itself: windows, output limits and prices, nothing
 * else, and only where the catalogue is not older than the preset, as after an update of this program.
 */
export function refreshPreset(preset: Preset, catalogue: Catalogue | undefined): Preset {
  if (catalogue === undefined || preset.catalogue === undefined || catalogue.date < preset.checked) return preset;
  const listed = ownEntry(catalogue.providers, preset.catalogue);
  if (listed === undefined) return preset;
  const models = Object.entries(preset.models).map(([name, facts]) => {
    const entry = ownEntry(listed, name);
    return [name, entry === undefined ? facts : refreshFacts(facts, entry, catalogue.date)] as const;
  });
  return { ...preset, models: Object.fromEntries(models) };
}
