import { settingTable } from '../../quirks/settings.ts';
import { type FieldTable, type FieldValues, mapping, scalar } from '../document/fieldTable.ts';
import { baseUrl, type Form, modelName, number, text, tokens, yesOrNo } from '../parsers.ts';

const variableName: Form<string> = {
  form: 'the name of a variable, like MY_API_KEY; the key itself belongs into the env file',
  parse: (value) => (/^[A-Za-z_]\w*$/.test(value) ? value : undefined),
};

const EFFORTS: readonly string[] = settingTable.defaultEffort.values.filter((effort) => effort !== '');
const effort: Form<string> = {
  form: EFFORTS.join(', '),
  parse: (value) => EFFORTS.find((one) => one === value.toLowerCase()),
};

/** More than this a token is meant for a million of them. */
const MOST_PER_TOKEN = 0.01;

/** The fields of a model in the models file. */
export const entryTable = {
  model_id: scalar(
    modelName,
    'Name by which clients and tiers ask for the model, also with `custom/` in front. Required.',
  ),
  model_name: scalar(text, 'The server’s name for it; without it the model_id.'),
  api_base: scalar(
    baseUrl,
    'Address of its API, to which `/chat/completions` is appended; without it the instance’s own. The provider’s preset is found by it.',
  ),
  api_key_name: {
    ...scalar(
      variableName,
      'Variable of the env file, or of the environment, that holds its key. Without it the instance’s own key is sent to the instance’s own server, none to a server on this machine, and to any other the model is refused.',
    ),
    secret: true,
  },
  can_stream: scalar(yesOrNo, 'Whether the server streams; else the whole answer is asked for and streamed from here.'),
  max_tokens: scalar(tokens, 'Largest output limit, in tokens.'),
  context: scalar(tokens, 'Context window, in tokens.'),
  max_input_tokens: scalar(tokens, 'The same, where context is not given.'),
  input_cost_per_token: scalar(number(0, MOST_PER_TOKEN), 'Price in US dollars for each token of input.'),
  output_cost_per_token: scalar(number(0, MOST_PER_TOKEN), 'Price in US dollars for each token of output.'),
  input_cost_per_million_tokens: scalar(number(0, 1e6), 'Price in US dollars for a million tokens of input.'),
  output_cost_per_million_tokens: scalar(number(0, 1e6), 'Price in US dollars for a million tokens of output.'),
  extra_headers: mapping('Headers sent with every request for the model.'),
  extra_body: mapping('Fields merged last into every request for the model.'),
  reasoning_effort: scalar(effort, 'Effort where the client names none, and the most that is asked for.'),
  enable_thinking: scalar(
    yesOrNo,
    'true: reasoning is switched by a field enable_thinking; false: it is always off where the server has that field.',
  ),
  temperature: scalar(number(0, 2), 'Sent in place of the client’s.'),
  quirks: mapping('What QUIRK_* is for the instance’s provider, without that prefix: `tool_choice: auto`.'),
} as const satisfies FieldTable;

/** The checked values of one entry. */
export type EntryValues = FieldValues<typeof entryTable>;
