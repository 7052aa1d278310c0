import type { Invocation } from '../args.ts';
import { chooseCredentials, clientSettings } from '../claude/settings.ts';
import { guessShell, shellLines, takeOverLine } from '../claude/shells.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { inspect } from '../supervisor/inspect.ts';
import { loadInstance } from '../supervisor/start.ts';

const SECRET_VARIABLES = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_CUSTOM_HEADERS'];

/** Prints the client's variables for a shell's eval; a person at a terminal sees no token. */
export async function env(context: Context, { names, shell: wanted }: Invocation): Promise<ExitCode> {
  const { root, output, environment } = context;
  const [name = ''] = names;
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
  output.say(`To set them here: ${takeOverLine(shell, command)}`);
  return exitCodes.ok;
}
