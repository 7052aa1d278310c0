import { defineCommand } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { common } from '../options.ts';

/** Shows the providers that are known, all in a table or one with everything that is known about it, or brings their facts up to date. */
export const providers = defineCommand({
  usage: 'providers [PROVIDER]',
  summary: 'list the providers that are known, with models and prices',
  names: 'optional',
  operand: { called: 'one provider', most: 1, from: 'providers' },
  options: ['refresh', 'from', 'yes', 'json', ...common],
  examples: [
    ['./manage providers', 'all of them'],
    ['./manage providers openai', 'one: all its models, addresses, where to get a key, what to know'],
    ['./manage providers --refresh', 'today’s prices and limits, from models.dev; asks before it writes'],
    ['./manage providers --refresh --from FILE', 'the same from a file, where there is no network'],
  ],
  details:
    'Context and output are tokens, prices are US dollars per million tokens on the day of the check. --refresh takes context, output\nand prices of the models in the list, nothing else, and keeps them in state/catalogue.json with their day; a file is of the day\non which it was last changed. They hold where they are not older than the list; your own models and prices files go before them.',

  run: async (context, invocation) => {
    const { output, root } = context;
    const { names, json, refresh, from, yes } = invocation;
    const [name] = names;
    if (refresh) {
      if (name !== undefined) throw new Failure('--refresh is for all providers at once', exitCodes.usage);
      return (await import('../catalogueRefresh.ts')).refreshCatalogue(context, invocation);
    }
    if (from !== undefined || yes) throw new Failure('--from and --yes belong to --refresh', exitCodes.usage);
    const { presets } = await import('../../providers/index.ts');
    const { refreshPreset } = await import('../../config/files/catalogue.ts');
    const { formatProblems } = await import('../../config/diagnostics.ts');
    const { loadCatalogue } = await import('../../config/load.ts');
    const { presetNamed } = await import('../envs/create.ts');
    const { presetDetails, presetsJson, presetTable } = await import('../views/presetView.ts');
    const { catalogue, problems } = loadCatalogue(root);
    if (problems.length > 0) output.complain(formatProblems(problems));
    const shown = (name === undefined ? presets : [presetNamed(name)]).map((one) => refreshPreset(one, catalogue));
    const [first] = shown;
    if (json) output.print(presetsJson(shown));
    else if (name !== undefined && first !== undefined) output.show(presetDetails(first, output, Date.now()));
    else output.print(presetTable(shown, output));
    return exitCodes.ok;
  },
});
