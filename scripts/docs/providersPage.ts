import { describePriceChanges } from '../../src/core/models.ts';
import { presets } from '../../src/providers/index.ts';
import type { Endpoints, ModelFacts, Preset } from '../../src/providers/preset.ts';
import { code, markdownPage, markdownTable } from './markdown.ts';

function count(value: number | undefined): string {
  return value === undefined ? '' : value.toLocaleString('en-US');
}

function tiersOf(preset: Preset, model: string): string {
  return (['big', 'middle', 'small'] as const).filter((tier) => preset.tiers?.[tier] === model).join(', ');
}

function describeModel(preset: Preset, model: string, facts: ModelFacts): readonly string[] {
  const { prices } = facts;
  const vision = facts.vision ?? preset.quirks.vision ?? true;
  return [
    code(model),
    tiersOf(preset, model),
    count(facts.contextWindow),
    count(facts.maxOutput),
    vision ? 'yes' : 'no',
    ...[prices?.input, prices?.output, prices?.cacheRead, prices?.cacheWrite].map((price) =>
      price === undefined ? '' : String(price),
    ),
  ];
}

function describeEndpoints({ plain, versioned }: Endpoints): readonly string[] {
  return [`- Path: ${code(plain)}`, `- Path with API_VERSION: ${code(versioned)}`];
}

function describeKey({ keyNames, keyHeader, keyOptional }: Preset): string {
  const names = ['OPENAI_API_KEY', ...keyNames].map(code).join(', ');
  const header = keyHeader === undefined ? '' : `, sent as ${code(keyHeader)}`;
  return `- Key: ${names}${header}${keyOptional === true ? '; none needed' : ''}`;
}

/** Where a guide for the provider stands, below docs/; undefined when there is none. */
export function guidePath({ name, port, protocol, hosts, tiers }: Preset): string | undefined {
  if (hosts.length === 0 && tiers === undefined) return 'providers/own-server.md';
  return port === undefined || protocol === 'demo' ? undefined : `providers/${name}.md`;
}

/** What is known about a provider, as a list and a table of its models. */
export function describePreset(preset: Preset): string {
  const { keys, docs } = preset.links;
  const names = [preset.name, ...(preset.otherNames ?? [])];
  const facts = [
    `- \`PROVIDER\`: ${names.map(code).join(', ')}`,
    ...(preset.baseUrl === '' ? [] : [`- Address: ${code(preset.baseUrl)}`]),
    ...Object.entries(preset.regions ?? {}).map(([region, url]) => `- \`REGION=${region}\`: ${code(url)}`),
    ...(preset.endpoints === undefined ? [] : describeEndpoints(preset.endpoints)),
    ...(preset.protocol === 'demo' ? [] : [describeKey(preset)]),
    ...(preset.port === undefined ? [] : [`- Port: ${preset.port}`]),
    ...(keys === undefined ? [] : [`- Get a key: <${keys}>`]),
    ...(docs === undefined ? [] : [`- Documentation: <${docs}>`]),
    `- Checked: ${preset.checked}`,
    ...(preset.notes ?? []).map((note) => `- ${note}`),
  ].join('\n');
  const models = Object.entries(preset.models);
  const table = markdownTable(
    ['Model', 'Tier', 'Context', 'Output', 'Images', 'Price in', 'Price out', 'Price cached', 'Price to cache'],
    models.map(([model, modelFacts]) => describeModel(preset, model, modelFacts)),
  );
  const changes = models.flatMap(([model, { prices }]) =>
    (prices === undefined ? [] : describePriceChanges(prices)).map((line) => `- ${code(model)} ${line}.`),
  );
  const unusable = models.flatMap(([model, { unusable: reason }]) =>
    reason === undefined ? [] : [`- ${code(model)} ${reason}.`],
  );
  return [
    facts,
    ...(models.length === 0 ? [] : [table]),
    ...(changes.length === 0 ? [] : [`Other prices hold:\n\n${changes.join('\n')}`]),
    ...(unusable.length === 0 ? [] : [`Refused in a configuration:\n\n${unusable.join('\n')}`]),
  ].join('\n\n');
}

function guideLine(preset: Preset): string {
  const path = guidePath(preset);
  return path === undefined ? '' : `\n\nMore: [${path}](${path}).`;
}

const REFRESH = [
  'Prices and limits change every few weeks. `./manage providers --refresh` takes those of the models below from a public catalogue (models.dev), shows each that differs, and asks before it keeps them; `--from FILE` takes a copy of it where there is no network, `--yes` does not ask. Running instances use them within a second. `./manage doctor` says how old the facts in use are, and warns after 60 days.',
  '',
  '- Taken are the context, the prices, and an output limit that is lower than the one here; never addresses, keys, which models there are, or how they are spoken to.',
  '- The file that keeps them, `state/catalogue.json`, holds their day and source; without it the facts below hold again. So they do where they are newer, as after an update.',
  '- Rates that the catalogue does not have, as of peak hours or the cache, keep their proportion to the ordinary ones. Your own prices file, models file and `QUIRK_*` go before all of it.',
].join('\n');

/** docs/PROVIDERS.md: every preset with its models. */
export function providersPage(): string {
  return markdownPage(
    '# Providers',
    'What is known about each provider. Everything can be overridden in the env file ([ENVIRONMENT.md](ENVIRONMENT.md)); any other model name of the provider works as well. Context and output are tokens; output is the most that is asked for. Prices are US dollars per million tokens on the day of the check.',
    REFRESH,
    ...presets.map((preset) => `## ${preset.title}\n\n${describePreset(preset)}${guideLine(preset)}`),
  );
}

/** The instances for which there are examples. */
export function instancesSection(): string {
  const rows = presets.flatMap((preset) => {
    const { name, title, port, links } = preset;
    if (port === undefined) return [];
    const guide = guidePath(preset);
    const provider = guide === undefined ? title : `[${title}](docs/${guide})`;
    return [[code(name), String(port), provider, links.keys === undefined ? 'not needed' : `<${links.keys}>`]];
  });
  return markdownTable(
    ['instance', 'port', 'provider', 'where to get a key'],
    rows.sort(([, one], [, other]) => Number(one) - Number(other)),
  );
}
