import { resolve } from 'node:path';
import { callerDirectory, defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Runs Claude Code through one instance, which is started first where that is needed. */
export const run = defineCommand({
  usage: 'run NAME [-- CLAUDE-ARGUMENTS...]',
  summary: 'run Claude Code through an instance, which is started if needed',
  names: 'required',
  operand: { called: 'the name of one instance', most: 1 },
  handsOn: 'after --',
  options: ['ask', ...common],
  examples: [
    ['./manage run demo', 'claude in the folder where you are, on the demo provider'],
    ['./manage run demo --ask', 'without auto mode: each check of it is a request of about 35,000 tokens'],
    ['./manage run work -- -p "Say hello" --allowedTools Bash', 'what stands after -- goes to claude as it is'],
    ['./manage run work -p "Say hello"', 'the same; what begins with an option of claude needs no --'],
  ],
  details:
    'Address, token, models, limits and a status line stand in a settings file of this run, which beats your own settings and\nshell variables and is removed afterwards if it holds a key or a token; nothing else is written, and what is picked in /model is not\nkept as your default. Several at once in several terminals are fine. The exit status is claude’s. CLAUDE_BIN names another\nclaude than the one on PATH.',

  run: async (context, invocation) => (await import('../claude/runClaude.ts')).runClaude(context, invocation),
});

/**
 * Runs the executable in place of the manager, so that signals and the exit status are its own. It is started in the project's folder,
 * as by PM2, so that logs and state have one place; the env file is found from where the user is.
 */
export const serve = defineCommand({
  usage: 'serve --env FILE',
  summary: 'run the executable itself in this terminal, without PM2',
  names: 'none',
  handsOn: 'all',
  options: ['help'],
  examples: [
    ['./manage serve --env envs/demo.env', 'serves until Ctrl-C, which lets running answers end'],
    ['./manage serve --env envs/demo.env --check', 'what holds of this file, or what is wrong with it'],
  ],
  details:
    'All words go to the executable as they are; signals and the exit status are its own. For systemd, containers and the like.',

  run: async ({ root, environment }, { rest }) => {
    const { executablePath } = await import('../../host/workers.ts');
    const { runInForeground } = await import('../terminal/foreground.ts');
    const program = executablePath(root);
    const directory = callerDirectory(environment);
    const words = rest.map((word, index) => {
      if (word.startsWith('--env=')) return `--env=${resolve(directory, word.slice('--env='.length))}`;
      return rest[index - 1] === '--env' ? resolve(directory, word) : word;
    });
    const { INIT_CWD: _launcher, ...own } = environment;
    // Returns only where it fails; Windows has no such call, and Node none before 22.15.
    if (process.platform !== 'win32') process.execve?.(program, [program, ...words], own as NodeJS.ProcessEnv);
    return runInForeground({ program, words, directory: root, environment: own });
  },
});
