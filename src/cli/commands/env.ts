import { evalLine, guessShell, shellLines } from '../claude/shells.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

const SECRET_VARIABLES = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_CUSTOM_HEADERS'];

/** Prints the client's variables for a shell's eval; a person at a terminal sees no token. */
export const env = defineCommand({
  usage: 'env NAME',
  summary: 'print the variables for Claude Code, for a shell’s eval',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  options: ['shell', ...common],
  examples: [
    ['eval "$(./manage env demo)"', 'bash and zsh'],
    ['./manage env demo --shell fish | source', 'fish'],
    ['./manage env demo --shell powershell | Out-String | Invoke-Expression', 'PowerShell'],
  ],
  details:
    'An "env" block in ~/.claude/settings.json beats these variables; ./manage run beats both. On a terminal the token is masked.',

  run: async (context, { names: [name = ''], shell: wanted }) => {
    const { root, output, environment } = context;
    const { chooseCredentials, clientSettings } = await import('../claude/settings.ts');
    const { inspect } = await import('../supervisor/inspect.ts');
    const { loadInstance } = await import('../supervisor/start.ts');
    const shell = wanted ?? guessShell(environment['SHELL']);
    const { instance, config } = loadInstance(context, name);
    const { env: variables } = clientSettings(root, config, environment);
    if (chooseCredentials(config, environment).isMissing) {
      output.complain(`envs/${name}.env holds no key: set ANTHROPIC_AUTH_TOKEN to yours, too`);
    }
    const [now] = await inspect([], [instance]);
    if (now?.answer?.kind !== 'instance') output.say(`${name} does not run; start it with: ./manage start ${name}`);
    if (!output.isTerminal) {
      output.print(shellLines(shell, variables));
      return exitCodes.ok;
    }
    const isSecret = config.clientToken !== undefined || config.provider.key.source === 'client';
    const shown = Object.entries(variables).map(([variable, value]) =>
      isSecret && SECRET_VARIABLES.includes(variable) && value !== '' ? [variable, '****'] : [variable, value],
    );
    output.print(shellLines(shell, Object.fromEntries(shown)));
    const command = `./manage env ${name}${wanted === undefined ? '' : ` --shell ${wanted}`}`;
    output.say(`To set them here: ${evalLine(shell, command)}`);
    return exitCodes.ok;
  },
});
