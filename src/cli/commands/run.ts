import { defineCommand } from '../command.ts';
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
