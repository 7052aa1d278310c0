import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { ASSUMED_WINDOW, contextWindowOf, modelRows } from '../../config/clientEnvironment.ts';
import { type Context, callerDirectory, type Invocation } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { checkNames } from '../supervisor/instances.ts';
import { ensureRunning } from '../supervisor/start.ts';
import { runInForeground } from '../terminal/foreground.ts';
import {
  chooseCredentials,
  clientSettings,
  extractUserSettings,
  mergeSettings,
  modelMenu,
  withSettingsFile,
} from './settings.ts';
import { withUserModel } from './userModel.ts';

/**
 * Runs Claude Code through one instance, which is started first where that is needed. All that the client has to know stands in
 * a settings file of this run, which goes before the user's own, so that nothing of theirs is read wrongly or changed.
 * @returns the exit status of claude
 */
export async function runClaude(context: Context, invocation: Invocation<'ask'>): Promise<number> {
  const { root, output, environment } = context;
  const [name = ''] = invocation.names;
  checkNames(root, [name]);
  const directory = callerDirectory(environment);
  const program = findClaude(environment, directory);
  const { words, settings: own } = extractUserSettings(invocation.rest, directory);

  const config = await ensureRunning(context, invocation, name);
  const { isMissing, foreignVendor } = chooseCredentials(config, environment);
  if (isMissing) {
    if (foreignVendor !== undefined)
      output.complain(
        `ANTHROPIC_AUTH_TOKEN of this shell begins like a key of ${foreignVendor}, and is not given to ${name}`,
      );
    throw new Failure(
      `envs/${name}.env holds no key; put ${config.provider.key.variable} there, or give one for this run: ANTHROPIC_AUTH_TOKEN=... ./manage run ${name}`,
      exitCodes.configuration,
    );
  }
  const settings = clientSettings(root, config, environment);
  // What the settings say holds from when they are read; before that the shell's variables would.
  const inherited = Object.entries(environment).filter(([variable]) => !Object.hasOwn(settings.env, variable));
  const isConversation = output.isTerminal && !words.some((word) => ['-p', '--print'].includes(word));
  if (isConversation && contextWindowOf(config, config.tiers.big) === undefined && modelRows(config).length > 0) {
    output.say(
      `The context window of ${config.tiers.big} is not known, ${ASSUMED_WINDOW.toLocaleString('en-US')} tokens are assumed; set QUIRK_CONTEXT_WINDOW in envs/${name}.env`,
    );
  }
  const code = await withSettingsFile(root, { ...modelMenu(config), ...mergeSettings(own, settings) }, (path) =>
    withUserModel(context, config, () =>
      runInForeground({
        program,
        words: ['--settings', path, ...(invocation.ask ? ASK_FIRST : []), ...words],
        directory,
        environment: { ...Object.fromEntries(inherited), INIT_CWD: undefined, PWD: directory },
      }),
    ),
  );
  // Claude Code itself names the file of this run, which is gone.
  if (isConversation) output.say(`To go on with this session here: ./manage run ${name} -- --continue`);
  return code;
}

/** Words for claude; the same option of the user's own stands behind it and wins. */
const ASK_FIRST = ['--permission-mode', 'default'];

/**
 * The path of Claude Code: CLAUDE_BIN, else `claude` on PATH.
 * @throws Failure when there is none.
 */
export function findClaude(environment: Readonly<Record<string, string | undefined>>, directory: string): string {
  const named = environment['CLAUDE_BIN'];
  if (named !== undefined && named !== '') {
    const path = resolve(directory, named);
    if (isProgram(path)) return path;
    throw new Failure(`CLAUDE_BIN is ${named}, which is no program that can be run`);
  }
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.map((folder) => resolve(directory, join(folder, 'claude'))).find(isProgram);
  if (found !== undefined) return found;
  throw new Failure(
    'claude is not on PATH; install it (npm install -g @anthropic-ai/claude-code) or name it: CLAUDE_BIN=/path/to/claude',
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
