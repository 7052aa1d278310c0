import { describePriceChanges } from '../../core/models.ts';
import { ageInDays, factsDay, type ModelFacts, type Preset } from '../../providers/preset.ts';
import type { Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

type View = Pick<Output, 'columns' | 'paint'>;

const NOTHING = '-';

function count(tokens: number | undefined): string {
  return tokens === undefined ? NOTHING : tokens.toLocaleString('en-US');
}

function dollars(price: number | undefined): string {
  return price === undefined ? NOTHING : `$${price}`;
}

function mainModel(preset: Preset): ModelFacts | undefined {
  return preset.tiers && preset.models[preset.tiers.big];
}

/** A table of providers, each with its big model. */
export function presetTable(presets: readonly Preset[], { columns, paint }: View): string {
  const rows: readonly Column<Preset>[] = [
    { title: 'provider', cell: ({ name }) => name, paint: (text) => paint('bold', text) },
    { title: 'title', cell: ({ title }) => title, minimum: 16, dropOrder: 4 },
    { title: 'models', cell: describeTiers, minimum: 12 },
    { title: 'context', align: 'right', cell: (preset) => count(mainModel(preset)?.contextWindow), dropOrder: 2 },
    { title: 'in', align: 'right', cell: (preset) => dollars(mainModel(preset)?.prices?.input), dropOrder: 1 },
    { title: 'out', align: 'right', cell: (preset) => dollars(mainModel(preset)?.prices?.output), dropOrder: 1 },
    { title: 'checked', cell: (preset) => factsDay(preset, preset.tiers?.big ?? '') ?? preset.checked, dropOrder: 3 },
  ];
  return renderTable(rows, presets, columns).join('\n');
}

function describeTiers({ tiers }: Preset): string {
  return tiers === undefined ? 'yours' : [...new Set([tiers.big, tiers.middle, tiers.small])].join(' / ');
}

function tiersServedBy({ tiers }: Preset, model: string): string {
  return (['big', 'middle', 'small'] as const).filter((tier) => tiers?.[tier] === model).join(', ') || NOTHING;
}

/** How old what is known is, and whose it is where a catalogue has been taken. */
function describeAge({ models, checked }: Preset, now: number): readonly (readonly [string, string])[] {
  const age = (day: string) => `${day} (${countDays(ageInDays(day, now))})`;
  const all = Object.values(models);
  const refreshed = all.flatMap((facts) => facts.refreshed ?? []);
  const [day] = refreshed;
  return [
    ['checked', age(checked)],
    ...(day === undefined ? [] : [['refreshed', `${age(day)}, ${refreshed.length} of ${all.length} models`] as const]),
  ];
}

/** `today`, `1 day ago`, `3 days ago`. */
function countDays(days: number): string {
  if (days === 0) return 'today';
  return `${days} ${days === 1 ? 'day' : 'days'} ago`;
}

/**
 * Everything that is known about one provider.
 * @param now in ms since 1970
 */
export function presetDetails(preset: Preset, { columns, paint }: View, now: number): string {
  const { name, otherNames = [], title, regions = {}, keyNames, links, notes = [] } = preset;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['PROVIDER', [name, ...otherNames].join(', ')],
    ['protocol', preset.protocol],
    ['address', preset.baseUrl || undefined],
    ...Object.entries(regions).map(([region, url]) => [`REGION=${region}`, url] as const),
    ['key names', preset.protocol === 'demo' ? undefined : ['OPENAI_API_KEY', ...keyNames].join(', ')],
    ['get a key', links.keys],
    ['documentation', links.docs],
    ...describeAge(preset, now),
  ];
  const models: readonly Column<readonly [string, ModelFacts]>[] = [
    { title: 'model', cell: ([model]) => model, minimum: 16 },
    { title: 'tier', cell: ([model]) => tiersServedBy(preset, model) },
    { title: 'context', align: 'right', cell: ([, facts]) => count(facts.contextWindow) },
    { title: 'output', align: 'right', cell: ([, facts]) => count(facts.maxOutput), dropOrder: 2 },
    {
      title: 'images',
      cell: ([, facts]) => ((facts.vision ?? preset.quirks.vision ?? true) ? 'yes' : 'no'),
      dropOrder: 3,
    },
    { title: 'in', align: 'right', cell: ([, facts]) => dollars(facts.prices?.input) },
    { title: 'out', align: 'right', cell: ([, facts]) => dollars(facts.prices?.output) },
    { title: 'cached', align: 'right', cell: ([, facts]) => dollars(facts.prices?.cacheRead), dropOrder: 1 },
  ];
  const width = Math.max(...facts.map(([label]) => label.length));
  const known = Object.entries(preset.models);
  return [
    paint('bold', title),
    ...facts.flatMap(([label, value]) => (value === undefined ? [] : [`  ${label.padEnd(width)}  ${value}`])),
    ...notes.map((note) => `  * ${note}`),
    ...(known.length === 0 ? [] : ['', ...renderTable(models, known, columns)]),
    ...priceChanges(preset),
    '',
    `Use it: ./manage init ${name}`,
  ].join('\n');
}

/** Where other prices than those of the table hold, a line each. */
function priceChanges({ models }: Preset): readonly string[] {
  const lines = Object.entries(models).flatMap(([model, { prices }]) =>
    (prices === undefined ? [] : describePriceChanges(prices)).map((line) => `  ${model} ${line}`),
  );
  return lines.length === 0 ? [] : ['', 'Other prices hold:', ...lines];
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function presetsJson(presets: readonly Preset[]): string {
  const providers = presets.map((preset) => ({
    name: preset.name,
    other_names: preset.otherNames ?? [],
    title: preset.title,
    protocol: preset.protocol,
    base_url: preset.baseUrl || null,
    regions: preset.regions ?? {},
    key_names: preset.keyNames,
    tiers: preset.tiers ?? null,
    models: Object.entries(preset.models).map(([name, { contextWindow, maxOutput, vision, prices, refreshed }]) => ({
      name,
      context_window: contextWindow ?? null,
      max_output: maxOutput ?? null,
      vision: vision ?? preset.quirks.vision ?? true,
      prices: prices ?? null,
      as_of: refreshed ?? preset.checked,
      source: refreshed === undefined ? 'preset' : 'catalogue',
    })),
    links: preset.links,
    notes: preset.notes ?? [],
    checked: preset.checked,
  }));
  return JSON.stringify({ schema: SCHEMA, providers }, undefined, 2);
}
