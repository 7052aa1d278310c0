import { type KeyName, keyNames, keyRow } from '../../src/config/keyTable.ts';
import { findSibling } from '../../src/providers/index.ts';
import type { Preset } from '../../src/providers/preset.ts';

const WIDTH = 100;

/** The text as comment lines of a readable width. */
function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}

/** What holds when the line stays commented out; empty where nothing does. */
function defaultOf(key: KeyName, preset: Preset): string {
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
      return keyRow(key).fallback ?? '';
  }
}

/** Keys that say nothing for a provider: regions and versions it has not, and addresses and keys where nothing is called. */
function isPointless(key: KeyName, preset: Preset): boolean {
  if (key === 'REGION') return preset.regions === undefined;
  if (key === 'PROTOCOL') return findSibling(preset, 'anthropic') === undefined;
  if (key === 'API_VERSION') return preset.endpoints === undefined;
  return preset.protocol === 'demo' && (key === 'OPENAI_API_KEY' || key === 'OPENAI_BASE_URL');
}

function settingLines(key: KeyName, preset: Preset): string {
  const regions = key === 'REGION' ? ` Known: ${Object.keys(preset.regions ?? {}).join(', ')}.` : '';
  return `${comment(keyRow(key).about + regions)}\n#${key}=${defaultOf(key, preset)}`;
}

/** envs/<name>.env.example: everything that a newcomer needs, in one file that works as it is. */
export function exampleFile(preset: Preset): string {
  const { name, title, port, links } = preset;
  const key = isPointless('OPENAI_API_KEY', preset)
    ? []
    : [
        comment(
          `Your key${links.keys === undefined ? '' : `, from ${links.keys}`}. Left empty, what Claude Code sends as ANTHROPIC_AUTH_TOKEN is passed through to the provider as the key.`,
        ),
        'OPENAI_API_KEY=',
        '',
      ];
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
    comment('All that follows is optional. The lines show what holds while they are commented out.'),
  ];
  const set = new Set<KeyName>(['PROVIDER', 'PORT', 'OPENAI_API_KEY']);
  const optional = keyNames.filter((one) => !set.has(one) && !isPointless(one, preset));
  const families = [
    comment('A header for every request to the provider; this one is sent as "x-title".'),
    '#CUSTOM_HEADER_X_TITLE=',
    '',
    comment('What is special about the provider can be overridden by QUIRK_*: see docs/ENVIRONMENT.md.'),
  ];
  return `${[...head, '', ...optional.flatMap((one) => [settingLines(one, preset), '']), ...families].join('\n')}\n`;
}
