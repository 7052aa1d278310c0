import { Secret } from '../../core/secret.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Makes the env file of a new instance and starts nothing. */
export const add = defineCommand({
  usage: 'add PROVIDER',
  summary: 'make the env file of a new instance',
  names: 'required',
  operand: { called: 'one provider', most: 1, from: 'providers' },
  options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'input', 'dryRun', 'json', ...common],
  examples: [
    ['./manage add openai --as work', 'envs/work.env; asks for the key, which is not shown'],
    ['./manage add openai --stdin < FILE', 'the key from a file'],
    ['./manage add custom --url http://127.0.0.1:8000/v1 --model my-model --no-input', 'any compatible server'],
  ],
  details: 'Starts nothing. Never changes a file in which you have written; the port is a free one unless you give it.',

  run: async (context, invocation) => {
    const { envText, planInstance, writeInstance } = await import('../envs/create.ts');
    const { output } = context;
    const instance = await planInstance(context, invocation);
    const { name, port, preset, key } = instance;
    const file = `envs/${name}.env`;
    if (invocation.dryRun) {
      const masked = key === '' ? '' : new Secret(key).masked;
      output.say(`Would write ${file}:`);
      output.print(envText({ ...instance, key: masked }).trimEnd());
      return exitCodes.ok;
    }
    output.say(`${writeInstance(context, instance)} Start it: ./manage start ${name}`);
    if (invocation.json)
      output.print(JSON.stringify({ schema: SCHEMA, name, port, provider: preset.name, env_file: file }));
    return exitCodes.ok;
  },
});
