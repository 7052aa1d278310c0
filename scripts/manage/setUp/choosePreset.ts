import { findPreset, presets } from '../../../src/providers/index.ts';
import type { Preset } from '../../../src/providers/preset.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import type { Output } from '../output.ts';
import type { Prompter } from '../prompter.ts';
import { didYouMean } from '../suggest.ts';
import { renderTable } from '../table.ts';

function describeUnknown(word: string): string {
  const names = presets.map(({ name }) => name);
  return `there is no provider "${word}"${didYouMean(word, names)}`;
}

/**
 * The preset of this name.
 * @throws Failure (usage) when there is none.
 */
export function presetNamed(word: string): Preset {
  const preset = findPreset(word);
  if (preset !== undefined) return preset;
  throw new Failure(`${describeUnknown(word)} (all of them: ./manage providers)`, exitCodes.usage);
}

/** Shows all providers and asks until one is chosen, by number or name. */
export async function askForPreset(prompter: Prompter, output: Output): Promise<Preset> {
  const rows = presets.map((preset, index) => ({ preset, number: String(index + 1) }));
  const table = renderTable(
    [
      { title: '', align: 'right', cell: ({ number }) => number },
      { title: 'provider', cell: ({ preset }) => preset.name },
      { title: '', cell: ({ preset }) => preset.title },
    ],
    rows,
    output.columns,
  );
  output.say(table.join('\n'));
  for (;;) {
    const answer = await prompter.ask('Provider (number or name): ');
    const preset = rows.find(({ number }) => number === answer)?.preset ?? findPreset(answer);
    if (preset !== undefined) return preset;
    if (answer !== '') output.complain(describeUnknown(answer));
  }
}
