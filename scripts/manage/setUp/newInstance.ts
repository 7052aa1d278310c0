import type { Preset } from '../../../src/providers/preset.ts';
import { comment, keyComment, optionalSettings, takesKey } from '../../docs/exampleFile.ts';
import { envLine } from './envValue.ts';

/** What the env file of a new instance is made from. */
export interface NewInstance {
  readonly name: string;
  readonly preset: Preset;
  readonly port: number;
  /** Empty for none. */
  readonly key: string;
  readonly region: string | undefined;
  readonly url: string | undefined;
  readonly model: string | undefined;
}

/** The text of its env file: what was chosen, then every further setting, explained, as comments. */
export function envText({ name, preset, port, key, region, url, model }: NewInstance): string {
  const chosen = Object.entries({ REGION: region, OPENAI_BASE_URL: url, BIG_MODEL: model }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const above = new Set(['PROVIDER', 'PORT', 'OPENAI_API_KEY', ...chosen.map(([one]) => one)]);
  return `${[
    comment(`${preset.title} for Claude Code, on http://127.0.0.1:${port}`),
    '#',
    comment(`Start it: ./manage start ${name}. While it runs it takes over what is saved here.`),
    ...(preset.notes ?? []).flatMap((note) => ['#', comment(note)]),
    '',
    `PROVIDER=${preset.name}`,
    comment('Only this file says which port; each instance needs its own.'),
    `PORT=${port}`,
    ...chosen.map(([one, value]) => envLine(one, value)),
    '',
    ...(takesKey(preset) ? [keyComment(preset), envLine('OPENAI_API_KEY', key), ''] : []),
    optionalSettings(preset, above),
  ].join('\n')}\n`;
}
