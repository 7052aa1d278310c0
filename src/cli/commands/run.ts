import type { Invocation } from '../args.ts';
import { findClient, runInForeground } from '../claude/findClaude.ts';
import {
  chooseCredentials,
  clientSettings,
  mergeSettings,
  takeOwnSettings,
  withSettingsFile,
} from '../claude/settings.ts';
import { type Context, callerDirectory } from '../context.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { checkNames } from '../supervisor/instances.ts';
import { ensureRunning } from '../supervisor/start.ts';

/**
 * Runs Claude Code through one instance, which is started first where that is needed. All that the client has to know stands in
 * a settings file of this run, which goes before the user's own, so that nothing of theirs is read wrongly or changed.
 * @returns the exit status of claude
 */
export async function run(context: Context, invocation: Invocation): Promise<number> {
  const { root, output, environment } = context;
  const [name = ''] = invocation.names;
  checkNames(root, [name]);
  const directory = callerDirectory(environment);
  const program = findClient(environment, directory);
  const { words, settings: own } = takeOwnSettings(invocation.rest, directory);

  const config = await ensureRunning(context, invocation, name);
  if (chooseCredentials(config, environment).isMissing) {
    throw new Failure(
      `envs/${name}.env holds no key; put ${config.provider.key.variable} there, or give one for this run: ANTHROPIC_AUTH_TOKEN=... ./manage run ${name}`,
      exitCodes.configuration,
    );
  }
  const settings = clientSettings(root, config, environment);
  // What the settings say holds from when they are read; before that the shell's variables would.
  const inherited = Object.entries(environment).filter(([variable]) => !Object.hasOwn(settings.env, variable));
  const code = await withSettingsFile(root, mergeSettings(own, settings), (path) =>
    runInForeground({
      program,
      words: ['--settings', path, ...words],
      directory,
      environment: { ...Object.fromEntries(inherited), INIT_CWD: undefined, PWD: directory },
    }),
  );
  const isConversation = output.isTerminal && !words.some((word) => ['-p', '--print'].includes(word));
  // Claude Code itself names the file of this run, which is gone.
  if (isConversation) output.say(`To go on with this session here: ./manage run ${name} -- --continue`);
  return code;
}
