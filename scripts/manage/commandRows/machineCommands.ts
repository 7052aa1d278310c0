import { completionShells } from '../completion/completionShells.ts';
import { type CommandRow, common } from './commandRow.ts';

/** What there is to do with the service. */
const serviceActions = ['install', 'uninstall', 'status'] as const;

/** The commands for the shell, the machine, and those who help. */
export const machineCommands = {
  completion: {
    summary: 'print the completion for a shell',
    usage: 'completion bash|zsh|fish',
    names: 'required',
    operand: { called: 'one of bash, zsh, fish', most: 1, from: completionShells },
    options: ['help'],
    examples: [
      ['eval "$(./manage completion bash)"', 'in ~/.bashrc, with the path of ./manage; zsh likewise'],
      ['./manage completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    details: 'Knows commands, options, and the instances that there are when you press Tab.',
  },
  bundle: {
    summary: 'write a report for a bug report, without secrets',
    usage: 'bundle [all|NAME...]',
    names: 'optional',
    options: ['json', ...common],
    examples: [
      ['./manage bundle', 'one text file where you are; look through it before you send it'],
      ['./manage bundle demo --json', 'of one instance, as JSON on stdout'],
    ],
    details:
      'Versions, system, masked configuration, state, health, and the last errors by their kind. No key, no text of a\nconversation, no word of a provider.',
  },
  service: {
    summary: 'let the instances come back when the machine starts',
    usage: 'service install|uninstall|status',
    names: 'required',
    operand: { called: 'one of install, uninstall, status', most: 1, from: serviceActions },
    options: ['dry-run', 'yes', 'no-input', 'json', ...common],
    examples: [
      ['./manage service install --dry-run', 'show what would be done'],
      ['./manage service install', 'show it, ask, and let this machine’s init system start what runs now'],
      ['./manage service uninstall', 'take it back'],
    ],
    details:
      'Works by "pm2 save" and "pm2 startup": systemd, launchd, OpenRC and the others that PM2 knows. Needs root’s rights (sudo)\nfor the service itself; PM2 and the instances run as you. The saved list holds no key. Run it again when other instances shall\ncome back.',
  },
  pm2: {
    summary: 'run the PM2 that manages the instances',
    usage: 'pm2 PM2-ARGUMENTS...',
    names: 'none',
    handsOn: 'all',
    options: ['help'],
    examples: [
      ['./manage pm2 monit', 'PM2’s own view of the processes'],
      ['./manage pm2 save', 'keep the present instances for the next boot'],
    ],
    details:
      'The project’s own PM2 where there is one, else that on PATH, with nothing of your shell that could be a secret.',
  },
  version: {
    summary: 'show the versions of all parts',
    usage: 'version',
    names: 'none',
    options: ['json', ...common],
    examples: [['./manage version', 'this project, its executable, Node.js and PM2, and how to update']],
    details: 'Asks nobody over the network.',
  },
} as const satisfies Record<string, CommandRow>;
