import { type SettingName, settingNames, settingRow } from '../../config/env/settings.ts';
import { findSibling } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';

const WIDTH = 100;

/** The text as comment lines of a readable width. */
export function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

/** What holds when the line stays commented out; empty where nothing does. */
function defaultOf(key: SettingName, preset: Preset): string {
  switch (key) {
    case 'OPENAI_BASE_URL':
      return preset.baseUrl;
    case 'PROTOCOL':
      return preset.protocol;
    case 'BIG_MODEL':
      return preset.tiers?.big ?? '';
    case 'MIDDLE_MODEL':
      return preset.tiers?.middle ?? '';
    case 'SMALL_MODEL':
      return preset.tiers?.small ?? '';
    default:
      return settingRow(key).fallback ?? '';
  }
}

/** Whether a key makes any difference. */
export function takesKey(preset: Preset): boolean {
  return !isPointless('OPENAI_API_KEY', preset);
}

/** Keys that say nothing for a provider: regions and versions it has not, and addresses and keys where nothing is called. */
function isPointless(key: SettingName, preset: Preset): boolean {
  if (key === 'REGION') return preset.regions === undefined;
  if (key === 'PROTOCOL') return findSibling(preset, 'anthropic') === undefined;
  if (key === 'API_VERSION') return preset.endpoints === undefined;
  return preset.protocol === 'demo' && (key === 'OPENAI_API_KEY' || key === 'OPENAI_BASE_URL');
}

function settingLines(key: SettingName, preset: Preset): string {
  const regions = key === 'REGION' ? ` Known: ${Object.keys(preset.regions ?? {}).join(', ')}.` : '';
  return `${comment(settingRow(key).about + regions)}\n#${key}=${defaultOf(key, preset)}`;
}

/** Where the key of the provider comes from, and what holds without one, as a comment. */
export function keyComment({ links }: Preset): string {
  return comment(
    `Your key${links.keys === undefined ? '' : `, from ${links.keys}`}. Left empty, what Claude Code sends as ANTHROPIC_AUTH_TOKEN is passed through to the provider as the key.`,
  );
}

/** Every further setting as a comment that shows what holds without it, but for those that stand above. */
export function optionalSettings(preset: Preset, above: ReadonlySet<string>): string {
  const optional = settingNames.filter((one) => !above.has(one) && !isPointless(one, preset));
  const families = [
    comment('A header for every request to the provider; this one is sent as "x-title".'),
    '#CUSTOM_HEADER_X_TITLE=',
    '',
    comment('What is special about the provider can be overridden by QUIRK_*: see docs/ENVIRONMENT.md.'),
  ];
  return [
    comment('All that follows is optional. The lines show what holds while they are commented out.'),
    '',
    ...optional.flatMap((one) => [settingLines(one, preset), '']),
    ...families,
  ].join('\n');
}

/** envs/<name>.env.example: everything that a newcomer needs, in one file that works as it is. */
export function exampleFile(preset: Preset): string {
  const { name, title, port } = preset;
  const key = takesKey(preset) ? [keyComment(preset), 'OPENAI_API_KEY=', ''] : [];
  const head = [
    comment(`${title} for Claude Code, on http://127.0.0.1:${port}`),
    '#',
    comment(`Copy this file to envs/${name}.env ("./manage start" does it the first time), then:`),
    `#   ./manage restart ${name}`,
    `#   ANTHROPIC_BASE_URL=http://127.0.0.1:${port} ANTHROPIC_AUTH_TOKEN=any-word claude`,
    ...(preset.notes ?? []).flatMap((note) => ['#', comment(note)]),
    '',
    `PROVIDER=${name}`,
    comment('Only this file says which port; each instance needs its own.'),
    `PORT=${port}`,
    '',
    ...key,
  ];
  const above = new Set(['PROVIDER', 'PORT', 'OPENAI_API_KEY']);
  return `${[...head, optionalSettings(preset, above)].join('\n')}\n`;
}
