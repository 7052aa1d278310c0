import { type CommandRow, common } from './commandRow.ts';

/** The commands that make, show and change env files. */
export const setUpCommands = {
  init: {
    summary: 'set an instance up, guided: provider, key, test, and the line to run',
    usage: 'init [PROVIDER]',
    names: 'optional',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'no-input', ...common],
    examples: [
      ['./manage init', 'asks for the provider and its key, starts the instance and tests it'],
      ['./manage init openai --stdin < FILE', 'the same without a question'],
      ['./manage init demo', 'an instance that needs no key and no network'],
    ],
    details:
      'Writes envs/NAME.env for your eyes only (mode 600) and never changes one in which you have written. The key is typed unseen,\nor comes from stdin; without one, Claude Code’s own key goes on to the provider. The test costs a few tokens.',
  },
  add: {
    summary: 'make the env file of a new instance',
    usage: 'add PROVIDER',
    names: 'required',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['as', 'port', 'region', 'url', 'model', 'stdin', 'no-input', 'dry-run', 'json', ...common],
    examples: [
      ['./manage add openai --as work', 'envs/work.env; asks for the key, which is not shown'],
      ['./manage add openai --stdin < FILE', 'the key from a file'],
      ['./manage add custom --url http://127.0.0.1:8000/v1 --model my-model --no-input', 'any compatible server'],
    ],
    details:
      'Starts nothing. Never changes a file in which you have written; the port is a free one unless you give it.',
  },
  list: {
    summary: 'list the instances, as their env files describe them',
    usage: 'list',
    names: 'none',
    options: ['json', ...common],
    examples: [
      ['./manage list', 'name, provider, port, models, key (masked) and what is wrong in the file'],
      ['./manage list --json', 'for a program'],
    ],
    details: 'Reads the env files only; ./manage status asks the instances themselves.',
  },
  edit: {
    summary: 'edit the env file of an instance; only what is right takes effect',
    usage: 'edit NAME',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: common,
    examples: [['./manage edit demo', 'opens a copy in $VISUAL or $EDITOR, checks it, and puts it in place']],
    details: 'What is wrong is shown with its line, and you may go on editing. Needs a terminal.',
  },
  remove: {
    summary: 'stop an instance and put its env file aside',
    usage: 'remove NAME',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['yes', 'no-input', 'dry-run', ...common],
    examples: [
      ['./manage remove work', 'asks first'],
      ['./manage remove work --yes', 'does not'],
    ],
    details: 'The file is kept as envs/NAME.env.removed-DATE-TIME; logs and statistics stay.',
  },
  providers: {
    summary: 'list the providers that are known, with models and prices',
    usage: 'providers [PROVIDER]',
    names: 'optional',
    operand: { called: 'one provider', most: 1, from: 'providers' },
    options: ['json', ...common],
    examples: [
      ['./manage providers', 'all of them'],
      ['./manage providers openai', 'one: all its models, addresses, where to get a key, what to know'],
    ],
    details: 'Context and output are tokens, prices are US dollars per million tokens on the day of the check.',
  },
  import: {
    summary: 'take over the settings of another proxy',
    usage: 'import [PATH...]',
    names: 'optional',
    operand: { called: 'files or folders', from: 'files' },
    options: ['dry-run', 'json', ...common],
    examples: [
      ['./manage import ../old-proxy --dry-run', 'show what a folder holds and would become, keys masked'],
      ['./manage import ../old-proxy/.env-work', 'one env file'],
      ['./manage import ~/.claude-code-router', 'the providers and routes of claude-code-router'],
    ],
    details:
      'Knows .env and .env-* files, the PROXIES of start-all-proxies.sh, providers.json, models.yaml or custom_models.yaml, and\nclaude-code-router’s config.json; without a path it looks where you are. Never changes a file that exists, and says line by\nline what it could not carry over, and why.',
  },
} as const satisfies Record<string, CommandRow>;
