import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common, optionTable } from '../options.ts';

/** As `./manage test NAME` does it. */
const BASIC_TEST = { full: false, keyStdin: false, json: false, timeoutMs: optionTable.timeoutMs.read(undefined) };

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
    'Writes envs/NAME.env for your eyes only (mode 600) and never changes one in which you have written. The key is typed unseen,\nor comes from stdin; without one, Claude Code’s own key goes on to the provider. The test costs a few tokens.',

  run: async (context, invocation) => {
    const { applySettings, planInstance, writeInstance } = await import('../envs/create.ts');
    const { ensureRunning } = await import('../supervisor/start.ts');
    const { testInstances } = await import('../providerTest/testInstances.ts');
    const { output } = context;
    const planned = await planInstance(context, invocation);
    const { name } = planned;
    output.say(writeInstance(context, planned));

    const ofInstance = { ...invocation, names: [name] };
    if (planned.exists) await applySettings(context, ofInstance, name);
    const config = await ensureRunning(context, ofInstance, name);
    const isKeyless = config.provider.key.source === 'client';
    const code = isKeyless ? exitCodes.ok : await testInstances(context, { ...ofInstance, ...BASIC_TEST });
    if (isKeyless)
      output.say(`${name} has no key and passes on that of Claude Code; to test it: ./manage test ${name} --key-stdin`);
    if (code !== exitCodes.ok)
      output.complain(`The test failed. Change the settings with ./manage edit ${name}, then: ./manage test ${name}`);
    output.say(`Use it: ./manage run ${name}`);
    return code;
  },
});
