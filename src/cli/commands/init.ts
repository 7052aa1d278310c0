import type { Config } from '../../config/config.ts';
import { wrapText } from '../../core/text.ts';
import { modelSettings } from '../../providers/preset.ts';
import { searchApiOf } from '../../providers/searchApis.ts';
import { type Context, defineCommand } from '../command.ts';
import type { PlannedInstance } from '../envs/create.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { common, optionTable } from '../options.ts';

/** As `./manage test NAME` does it. */
const BASIC_TEST = {
  full: false,
  yes: false,
  keyStdin: false,
  json: false,
  timeoutMs: optionTable.timeoutMs.read(undefined),
};

/** From the choice of a provider to the line that runs Claude Code on it: env file, start, test. */
export const init = defineCommand({
  usage: 'init [PROVIDER]',
  summary: 'set an instance up step by step: provider, key, test',
  names: 'optional',
  operand: { called: 'one provider', most: 1, from: 'providers' },
  options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'input', ...common],
  examples: [
    ['./manage init', 'asks for the provider and its key, starts the instance and tests it'],
    ['./manage init openai --stdin < FILE', 'the same without a question'],
    ['./manage init demo', 'an instance that needs no key and no network'],
  ],
  details:
    'Writes envs/NAME.env for your eyes only (mode 600) and never changes one in which you have written. Each answer\nis checked at once, and a key that is refused is asked for again. A server of your own is asked for its models and their context\nwindow, and works without a key. Without one elsewhere, Claude Code’s own goes on to the provider. The test costs a few tokens.',

  run: async (context, invocation) => {
    const { applySettings } = await import('../envs/changeEnvFile.ts');
    const { planInstance, writeInstance } = await import('../envs/create.ts');
    const { ensureRunning } = await import('../supervisor/start.ts');
    const { testInstances } = await import('../providerTest/testInstances.ts');
    const { output } = context;
    let instance = await planInstance(context, invocation);
    const { name } = instance;
    const ofInstance = { ...invocation, names: [name] };
    for (;;) {
      output.say(writeInstance(context, instance));
      if (instance.exists) await applySettings(context, ofInstance, name);
      const config = await ensureRunning(context, ofInstance, name);
      if (config.provider.key.source === 'client') {
        if (instance.isUnreachable === true) {
          output.complain(
            `The server was not reached, and nothing is tested. When it runs: ./manage test ${name} --key-stdin`,
          );
          return exitCodes.failed;
        }
        output.say(
          `${name} has no key and passes on that of Claude Code; to test it: ./manage test ${name} --key-stdin`,
        );
        return finish(context, instance, exitCodes.ok, false, config);
      }
      let isRefused = false;
      const code = await testInstances(context, { ...ofInstance, ...BASIC_TEST }, ({ rows }) => {
        isRefused = rows.some(({ check, result }) => check === 'key' && result === 'fail');
      });
      const key = isRefused && invocation.input ? await askForAnotherKey(context, instance) : '';
      if (key === '') return finish(context, instance, code, isRefused, config);
      instance = { ...instance, key, exists: true };
    }
  },
});

const MOST_COLUMNS = 120;
const INDENT = '    ';

/** A key in the place of one that the provider has refused; empty when the user has none. */
async function askForAnotherKey(context: Context, instance: PlannedInstance): Promise<string> {
  const { prompter, output } = context;
  if (prompter === undefined) return '';
  const { keyProblem } = await import('../envs/create.ts');
  const { askForKey } = await import('../envs/questions.ts');
  const question = `${instance.preset.title} refuses this key. Another one? (Enter keeps it)`;
  try {
    return await askForKey(prompter, output, question, (typed) => keyProblem(context, instance, typed));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`Stopped; envs/${instance.name}.env has the key that was refused.`, error.exitCode);
  }
}

/** How pictures can be described to a model that sees none, by a model of the same provider if one does; empty where it sees. */
export function offerVision(name: string, { vision, tiers, modelRefs }: Config): readonly string[] {
  const { provider, model } = modelRefs.of(tiers.big);
  const { models, protocol } = provider.preset;
  if (vision !== undefined || protocol === 'demo' || modelSettings(provider, model).vision) return [];
  const sees = (one: string) => models[one]?.unusable === undefined && modelSettings(provider, one).vision;
  const cheap = [modelRefs.of(tiers.small).model, ...Object.keys(models)].find(sees);
  const value = cheap === undefined ? 'VISION_URL=ADDRESS' : `VISION_MODEL=${cheap}`;
  return [
    `${model} sees no pictures. Another model can describe them to it: ./manage set ${name} ${value} (docs/VISION.md)`,
  ];
}

/** That the model's server takes few tools, where it does; empty else, and where requests pass through as they are. */
export function toolsNote({ tiers, modelRefs }: Config): readonly string[] {
  const { provider, model } = modelRefs.of(tiers.big);
  const { protocol } = provider.preset;
  const { toolsMax } = modelSettings(provider, model);
  if (toolsMax === undefined || protocol === 'anthropic' || protocol === 'demo') return [];
  return [
    `${model} is sent ${toolsMax} tools at most. Where a session has more, those nearest to its words stay (docs/TOOLS.md).`,
  ];
}

/** The last words: what decides whether it goes well, and the line to run, or how to repair what failed. */
function finish(
  { output }: Context,
  { name, preset }: PlannedInstance,
  code: ExitCode,
  isKeyRefused: boolean,
  config: Config,
): ExitCode {
  const width = Math.min(output.columns ?? MOST_COLUMNS, MOST_COLUMNS) - INDENT.length;
  const lines = [
    ...(preset.notes ?? []),
    ...offerVision(name, config),
    ...searchNote(name, preset),
    ...toolsNote(config),
  ].flatMap((note) => wrapText(note, width).map((line, at) => `${at === 0 ? '  * ' : INDENT}${line}`));
  if (lines.length > 0) output.say(['Good to know:', ...lines].join('\n'));
  if (code === exitCodes.ok) output.say(`Use it: ./manage run ${name}`);
  else if (isKeyRefused)
    output.complain(`The key was refused. Give another: ./manage key ${name}, then: ./manage test ${name}`);
  else output.complain(`The test failed. Change the settings with ./manage edit ${name}, then: ./manage test ${name}`);
  return code;
}

/** How Claude Code's search of the web comes to work where the provider has none, or has to be asked for it. */
function searchNote(name: string, { name: preset, protocol, hostedSearch }: PlannedInstance['preset']): string[] {
  if (protocol === 'anthropic' || protocol === 'demo') return [];
  const isOwn = hostedSearch !== undefined || searchApiOf(preset) !== undefined;
  const [how, what] = isOwn ? ['provider', 'the search of this provider'] : ['searxng SEARCH_URL=URL', 'your SearXNG'];
  return [
    `Claude Code searches the web by ${what} after: ./manage set ${name} WEB_SEARCH=${how} (docs/SEARCH.md has others)`,
  ];
}
