/** US dollars per million tokens. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** Rates for all tokens of a request whose input, with what is read from and written to the cache, is longer than a limit. */
export interface LongInputRates extends Rates {
  /** Tokens. */
  readonly above: number;
}

/** Rates at the hours of a day when a vendor has most to do. */
export interface PeakRates extends Rates {
  /** Hours in UTC, each from the first until before the second. */
  readonly hours: readonly (readonly [from: number, until: number])[];
  /** Days of the week in UTC, 0 for Sunday. */
  readonly days: readonly number[];
}

/** What a model costs: ordinary rates, and where others take their place. */
export interface Prices extends Rates {
  readonly longInput?: LongInputRates;
  readonly peak?: PeakRates;
  /** Prices that follow, each from a day on (YYYY-MM-DD, in UTC); the earliest first. */
  readonly changes?: readonly (Prices & { readonly from: string })[];
}

function isPeak({ hours, days }: PeakRates, at: Date): boolean {
  const hour = at.getUTCHours();
  return days.includes(at.getUTCDay()) && hours.some(([from, until]) => hour >= from && hour < until);
}

/**
 * The rates of a request.
 * @param inputTokens all of its input, what came from the cache and what was written to it too
 * @param at time of the request, in ms since 1970; without one the ordinary rates before all changes
 */
export function ratesOf(prices: Prices, inputTokens: number, at?: number): Rates {
  const day = at === undefined ? '' : new Date(at).toISOString().slice(0, 10);
  const { peak, longInput, ...ordinary } = prices.changes?.findLast(({ from }) => from <= day) ?? prices;
  if (longInput !== undefined && inputTokens > longInput.above) return longInput;
  return peak !== undefined && at !== undefined && isPeak(peak, new Date(at)) ? peak : ordinary;
}

/** All rates times the same: many vendors double them at peak hours. */
export function multiplyRates({ input, output, cacheRead, cacheWrite }: Rates, factor: number): Rates {
  return {
    input: round(input * factor),
    output: round(output * factor),
    ...(cacheRead === undefined ? {} : { cacheRead: round(cacheRead * factor) }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: round(cacheWrite * factor) }),
  };
}

/** Three times 0.1 is not quite 0.3. */
function round(rate: number): number {
  return Number(rate.toPrecision(12));
}

function showRates({ input, output, cacheRead, cacheWrite }: Rates): string {
  const cached = cacheRead === undefined ? '' : `, cached ${cacheRead}`;
  return `in ${input}, out ${output}${cached}${cacheWrite === undefined ? '' : `, to cache ${cacheWrite}`}`;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function showPeak({ hours, days }: PeakRates): string {
  const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  const spans = hours.map(([from, until]) => `${clock(from)}-${clock(until)}`).join(' and ');
  return `${DAYS[days[0] ?? 0]} to ${DAYS[days.at(-1) ?? 0]} ${spans} UTC`;
}

/** Where other rates take the place of the ordinary ones, a line each. */
export function describePriceChanges({ longInput, peak, changes = [] }: Prices): readonly string[] {
  return [
    ...(longInput === undefined
      ? []
      : [`above ${longInput.above.toLocaleString('en-US')} tokens of input: ${showRates(longInput)}`]),
    ...(peak === undefined ? [] : [`${showPeak(peak)}: ${showRates(peak)}`]),
    ...changes.flatMap((change) => [
      `from ${change.from}: ${showRates(change)}`,
      ...describePriceChanges(change).map((line) => `from ${change.from}, ${line}`),
    ]),
  ];
}

/**
 * How names of models are written, by users, clients and earlier systems. Nothing else takes them apart: what a name stands for is
 * handed on as a `ModelRef` (config/models.ts makes it).
 */

/** The name without `custom/`, in lower case: by it a model of the models file is found, however it is spelled. */
export function customId(name: string): string {
  return name.replace(/^custom\//i, '').toLowerCase();
}

/** A name in two parts where it begins with one of the prefixes and a slash, like `vendor/model`; prefixes are in lower case. */
export function splitPrefix(
  name: string,
  prefixes: readonly string[],
): { readonly prefix: string; readonly rest: string } | undefined {
  const slash = name.indexOf('/');
  const prefix = name.slice(0, Math.max(slash, 0)).toLowerCase();
  return prefixes.includes(prefix) ? { prefix, rest: name.slice(slash + 1) } : undefined;
}

/** `provider,model`: a model of a provider that is named; undefined for a name without a comma. */
export function splitProvider(name: string): { readonly provider: string; readonly model: string } | undefined {
  const comma = name.indexOf(',');
  return comma < 0 ? undefined : { provider: name.slice(0, comma).trim(), model: name.slice(comma + 1).trim() };
}

/** The name without `[1m]`, by which Claude Code asks for a large context: the suffix is the client's own, and no provider knows it. */
export function withoutContextSuffix(name: string): string {
  return name.replace(/\[1m\]\s*$/i, '').trimEnd();
}

/** Where an instance has its models from. */
export interface NamedModels {
  readonly tiers: Readonly<Record<'big' | 'middle' | 'small', string>>;
  readonly providers: readonly { readonly models: Readonly<Record<'big' | 'middle' | 'small', readonly string[]>> }[];
  readonly customModels: ReadonlyMap<string, { readonly name: string }>;
}

/** The names of an instance's models, each once: those of the tiers, the big one first, and what else can be asked for. */
export function modelNames({ tiers, providers, customModels }: NamedModels): {
  readonly ofTiers: readonly string[];
  readonly others: readonly string[];
} {
  const ofTiers = [...new Set([tiers.big, tiers.middle, tiers.small])];
  const fallbacks = providers.flatMap(({ models: { big, middle, small } }) => [...big, ...middle, ...small]);
  const custom = [...customModels.values()].map(({ name }) => name);
  return { ofTiers, others: [...new Set([...fallbacks, ...custom])].filter((name) => !ofTiers.includes(name)) };
}
