import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

/** Shows the providers that are known: all in a table, or one with everything that is known about it. */
export const providers = defineCommand({
  usage: 'providers [PROVIDER]',
  summary: 'list the providers that are known, with models and prices',
  names: 'optional',
  operand: { called: 'one provider', most: 1, from: 'providers' },
  options: ['json', ...common],
  examples: [
    ['./manage providers', 'all of them'],
    ['./manage providers openai', 'one: all its models, addresses, where to get a key, what to know'],
  ],
  details: 'Context and output are tokens, prices are US dollars per million tokens on the day of the check.',

  run: async ({ output }, { names: [name], json }) => {
    const { presets } = await import('../../providers/index.ts');
    const { presetNamed } = await import('../envs/create.ts');
    const { presetDetails, presetsJson, presetTable } = await import('../views/presetView.ts');
    const preset = name === undefined ? undefined : presetNamed(name);
    if (json) output.print(presetsJson(preset === undefined ? presets : [preset]));
    else if (preset !== undefined) output.print(presetDetails(preset, output));
    else output.print(presetTable(presets, output));
    return exitCodes.ok;
  },
});
