import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

const actions = ['install', 'uninstall', 'status'] as const;

/** Makes the instances come back when the machine starts, or no longer, or shows whether they do. */
export const service = defineCommand({
  usage: 'service install|uninstall|status',
  summary: 'let the instances come back when the machine starts',
  names: 'required',
  operand: { called: 'one of install, uninstall, status', most: 1, from: actions },
  options: ['dryRun', 'yes', 'input', 'json', ...common],
  examples: [
    ['./manage service install --dry-run', 'show what would be done'],
    ['./manage service install', 'show it, ask, and let this machine’s init system start what runs now'],
    ['./manage service uninstall', 'take it back'],
  ],
  details:
    'Works by "pm2 save" and "pm2 startup": systemd, launchd, OpenRC and the others that PM2 knows. Needs root’s rights (sudo)\nfor the service itself; PM2 and the instances run as you. The saved list holds no key. Run it again when other instances shall\ncome back.',

  run: async (context, invocation) => (await import('../service/service.ts')).runServiceAction(context, invocation),
});
