import { type CommandRow, common } from './commandRow.ts';

/** The commands that lead Claude Code to an instance. */
export const clientCommands = {
  run: {
    summary: 'run Claude Code through an instance, which is started if needed',
    usage: 'run NAME [-- CLAUDE-ARGUMENTS...]',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    handsOn: 'after --',
    options: common,
    examples: [
      ['./manage run demo', 'claude in the folder where you are, on the demo provider'],
      ['./manage run work -- -p "Say hello" --allowedTools Bash', 'what stands after -- goes to claude as it is'],
    ],
    details:
      'Address, token, models, limits and a status line stand in a settings file of this run, which beats your own settings and\nshell variables and is removed afterwards; nothing else is written. Several at once in several terminals are fine. The exit\nstatus is claude’s. CLAUDE_BIN names another claude than the one on PATH.',
  },
  env: {
    summary: 'print the variables for Claude Code, for a shell’s eval',
    usage: 'env NAME',
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
  },
  use: {
    summary: 'let Claude Code in this project use an instance',
    usage: 'use NAME --project',
    names: 'required',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['project', 'yes', 'dry-run', 'no-input', ...common],
    examples: [
      ['./manage use demo --project', 'shows what would change in .claude/settings.local.json, and asks'],
      ['./manage use demo --project --dry-run', 'shows it only'],
    ],
    details:
      'Writes that file only, never your own settings, and leaves its other keys as they are. ./manage unuse puts it back.',
  },
  unuse: {
    summary: 'put back what "use" has changed in this project',
    usage: 'unuse',
    names: 'none',
    options: ['project', 'dry-run', ...common],
    examples: [['./manage unuse', '.claude/settings.local.json is again what it was, byte for byte']],
    details:
      'What was changed there since in other keys stays. When somebody has changed the keys themselves, nothing is done.',
  },
  statusline: {
    summary: 'print one line for Claude Code’s status bar',
    usage: 'statusline [NAME]',
    names: 'optional',
    operand: { called: 'the name of one instance', most: 1 },
    options: ['help'],
    examples: [['./manage statusline demo < FILE', 'FILE holds what Claude Code gives to such commands']],
    details:
      'Instance, model that really answered, tokens and cost of the session, cost of today, from our own figures. Without a name\nthe instance is the one of ANTHROPIC_BASE_URL. ./manage run and use set it up.',
  },
} as const satisfies Record<string, CommandRow>;
