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
