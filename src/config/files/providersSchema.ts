import type { Config, Strategy } from '../config.ts';
import { baseUrl, choice, duration, type Form, integer, modelName, number, text, yesOrNo } from '../parsers.ts';
import { type FieldTable, type FieldValues, group, list, mapping, raw, scalar } from './fields.ts';

/** It stands in headers, and in front of a comma. */
const providerName: Form<string> = {
  form: 'a name of plain letters, digits and signs, without commas',
  parse: (value) => (/^[\x20-\x2b\x2d-\x7e]+$/.test(value) ? value : undefined),
};

const STRATEGIES = ['priority', 'round_robin', 'random', 'weighted'] as const satisfies readonly Strategy[];
const HEALTH_QUESTIONS = ['models', 'request'] as const satisfies readonly Config['healthCheck']['ask'][];

const KEY_FORM = 'a key, or `${NAME}` with the name of a variable';

/** The fields of one provider. */
export const providerTable = {
  name: scalar(
    providerName,
    'Name of the provider, different for each: for `<name>,<model>`, the log and `./manage status`. Required.',
  ),
  enabled: scalar(yesOrNo, 'false leaves the provider out. Default: true.'),
  priority: scalar(
    integer(0, 1_000_000),
    'The lowest is asked first; equal ones in the order of the file. Default: 1.',
  ),
  weight: scalar(number(0, 1_000_000), 'Share of the conversations where fallback_strategy is `weighted`. Default: 1.'),
  preset: scalar(
    text,
    'Preset by its name (docs/PROVIDERS.md); without it the one whose address base_url is, else `custom`.',
  ),
  protocol: scalar(choice('chat', 'anthropic'), 'As PROTOCOL: `anthropic` for the provider’s own Messages API.'),
  region: scalar(text, 'As REGION: another address of the preset.'),
  api_key: raw(
    KEY_FORM,
    'The key. Not needed for a server on this machine, and for presets whose servers ask for none. A provider whose variable is not set is left out.',
  ),
  api_keys: raw(
    `${KEY_FORM}; or a list of them`,
    'Further keys of the same account. Each conversation stays with one of them, and another takes over from a key that is exhausted or refused.',
  ),
  base_url: scalar(baseUrl, 'As OPENAI_BASE_URL; without it the preset’s address.'),
  api_version: scalar(text, 'As API_VERSION.'),
  timeout: scalar(duration('seconds', 1, 86_400), 'As REQUEST_TIMEOUT, which is the default.'),
  max_retries: scalar(
    integer(0, 20),
    'How often a failed request is repeated at this provider. Without it MAX_RETRIES, but none as long as another model or provider can be asked.',
  ),
  custom_headers: mapping('Headers sent with every request to this provider.'),
  models: group(
    {
      big: list(modelName, 'Models for opus: the first is asked, the next when it fails. Default: the preset’s.'),
      middle: list(modelName, 'Models for sonnet. Default: those of big where they are given, else the preset’s.'),
      small: list(modelName, 'Models for haiku. Default: the preset’s, else those of middle.'),
    },
    'Models per tier, each a list or one name.',
  ),
  quirks: mapping('What QUIRK_* is for the env file’s own provider, without that prefix: `tool_choice: auto`.'),
} as const satisfies FieldTable;

/** The fields of the file itself. */
export const fileTable = {
  providers: raw('a list of providers', 'The providers; a file may also be such a list alone, or one provider alone.'),
  fallback_strategy: scalar(
    choice(...STRATEGIES),
    'Which provider a new conversation begins with; it then stays there, and the others take over when that one fails. Default: priority.',
  ),
  health_check_interval: scalar(
    duration('seconds', 0, 86_400),
    'Pause between the checks of a provider that nobody has asked meanwhile; 0 checks none. Default: 300.',
  ),
  health_check: scalar(
    choice(...HEALTH_QUESTIONS),
    'What a check asks for: the list of `models`, which costs nothing, or by a `request` one token of an answer. Default: models.',
  ),
  circuit_breaker: group(
    {
      failure_threshold: scalar(integer(1, 1000), 'As BREAKER_FAILURES, which goes first where the env file has it.'),
      recovery_timeout: scalar(
        duration('seconds', 1, 86_400),
        'As BREAKER_SECONDS, which goes first where the env file has it.',
      ),
    },
    'When requests keep away from a provider that fails.',
  ),
} as const satisfies FieldTable;

/** The checked values of one provider. */
export type ProviderValues = FieldValues<typeof providerTable>;

/** The checked values of the file itself. */
export type FileValues = FieldValues<typeof fileTable>;
