import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { ASSUMED_WINDOW, contextWindowOf, modelRows } from '../../config/clientEnvironment.ts';
import { needsNoKey } from '../../config/secrets.ts';
import { terminalSafe } from '../../core/text.ts';
import { type Context, callerDirectory, type Invocation } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import { inspect } from '../supervisor/inspect.ts';
import { checkNames, loadInstances, selectInstances } from '../supervisor/instances.ts';
import { ensureRunning } from '../supervisor/start.ts';
import { hintLine } from '../supervisor/state.ts';
import { runInForeground } from '../terminal/foreground.ts';
import { describeEntry } from '../views/statusEntry.ts';
import {
  chooseCredentials,
  clientSettings,
  extractUserSettings,
  mergeSettings,
  modelMenu,
  NO_TOKEN,
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
    const { key, preset, baseUrl } = config.provider;
    const none = needsNoKey(preset, baseUrl) ? `; where the server wants none: ${key.variable}=${NO_TOKEN}` : '';
    throw new Failure(
      `envs/${name}.env holds no key; put ${key.variable} there, or give one for this run: ANTHROPIC_AUTH_TOKEN=... ./manage run ${name}${none}`,
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
  await sayCondition(context, name);
  const startedAt = Date.now();
  // The user's own settings may hold anything.
  const hasSecret = settings.env['ANTHROPIC_AUTH_TOKEN'] !== NO_TOKEN || Object.keys(own).length > 0;
  const run = { instance: name, settings: { ...modelMenu(config), ...mergeSettings(own, settings) }, hasSecret };
  const code = await withSettingsFile(root, run, (path) =>
    withUserModel(context, config, () =>
      runInForeground({
        program,
        words: ['--settings', path, ...(invocation.ask ? ASK_FIRST : []), ...words],
        directory,
        environment: { ...Object.fromEntries(inherited), INIT_CWD: undefined, PWD: directory },
      }),
    ),
  );
  const session = isConversation ? findSession(environment, directory, startedAt) : undefined;
  if (session !== undefined) output.say(`To go on with this session: ./manage run ${name} -- --resume ${session}`);
  return code;
}

/** Says what is known against the instance, as Claude Code only shows that it tries again. A key may come from this shell. */
async function sayCondition({ root, output }: Context, name: string): Promise<void> {
  const [inspection] = await inspect([], selectInstances(root, loadInstances(root), [name]));
  if (inspection === undefined) return;
  const { report } = await describeEntry(inspection);
  const { condition, hint } = report;
  if (condition === 'ready' || condition === 'no key' || hint === undefined) return;
  output.say(terminalSafe(hintLine(name, { ...hint, problem: `${condition}: ${hint.problem}` })));
}

const TRANSCRIPT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl$/;

/**
 * The id of the session of a folder whose transcript Claude Code has written last, if that was since a moment. It keeps them in
 * a folder that is named by the path, all but letters and digits replaced (looked at in 2.1.328, 2026-11-30).
 * @param since in ms since 1970
 */
export function findSession(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
  since: number,
): string | undefined {
  const configuration = environment['CLAUDE_CONFIG_DIR'] || join(environment['HOME'] || homedir(), '.claude');
  try {
    const folder = join(configuration, 'projects', realpathSync(directory).replaceAll(/[^A-Za-z0-9]/g, '-'));
    const transcripts = readdirSync(folder)
      .filter((file) => TRANSCRIPT.test(file))
      .map((file) => ({ file, time: statSync(join(folder, file)).mtimeMs }))
      .filter(({ time }) => time >= since)
      .sort((a, b) => b.time - a.time);
    const [last] = transcripts;
    return last === undefined ? undefined : basename(last.file, '.jsonl');
  } catch {
    return undefined; // there is no such folder: no session began here
  }
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
