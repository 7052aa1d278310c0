import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Changes settings of an instance, for scripts. */
export const set = defineCommand({
  usage: 'set NAME KEY=VALUE [KEY=VALUE...]',
  summary: 'change settings of an instance; only what is right takes effect',
  names: 'required',
  operand: { called: 'the name of one instance and KEY=VALUE' },
  options: common,
  examples: [
    ['./manage set demo LOG_LEVEL=debug', 'one line of envs/demo.env; what runs takes it over at once'],
    ['./manage set demo BIG_MODEL= SMALL_MODEL=', 'empty: the defaults hold again'],
  ],
  details:
    'Order and comments of the file stay. Nothing is written when the file would be wrong (exit status 78). A key is set with\n./manage key. Exit status 4: a running instance goes on with its old settings.',

  run: async (context, invocation) => (await import('../envs/changeEnvFile.ts')).setValues(context, invocation),
});

/** Changes the key of an instance, for scripts too. */
export const key = defineCommand({
  usage: 'key NAME [VARIABLE]',
  summary: 'change the provider’s key of an instance',
  names: 'required',
  operand: { called: 'the name of one instance, and perhaps a variable', most: 2 },
  options: ['stdin', ...common],
  examples: [
    ['./manage key work', 'asks for the key, which is not shown'],
    ['pass show work-key | ./manage key work --stdin', 'from a program or a file'],
    ['./manage key work ANTHROPIC_API_KEY --stdin < FILE', 'another secret, as the token of the clients'],
  ],
  details: 'Checked and written like ./manage set; a running instance asks with the new key at once.',

  run: async (context, invocation) => (await import('../envs/changeEnvFile.ts')).setKey(context, invocation),
});

/** Tokens of clients beside the owner's own. */
export const token = defineCommand({
  usage: 'token add|list|revoke NAME [CLIENT]',
  summary: 'give clients of an instance tokens and limits of their own, or take them back',
  names: 'required',
  operand: {
    called: 'add, list or revoke, the name of one instance, and the name of a client',
    most: 3,
    actions: ['add', 'list', 'revoke'],
  },
  options: ['requestsPerMinute', 'tokensPerDay', 'costPerMonth', 'models', 'expires', 'json', ...common],
  examples: [
    ['./manage token add work alice', 'shows a new token, once; the file keeps its SHA-256 only'],
    ['./manage token add work bob --tokens-per-day 5000000 --models middle,small', 'with limits'],
    ['./manage token revoke work alice', 'the next request with it is refused'],
  ],
  details:
    'Writes the file that CLIENT_TOKENS_FILE names, else envs/NAME.clients.yaml; a running instance takes it over at once, the first\ntime by new processes. What a client uses: ./manage usage NAME --by client (docs/TEAM.md).',

  run: async (context, invocation) => (await import('../envs/clientTokens.ts')).changeTokens(context, invocation),
});
