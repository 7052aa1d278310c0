import { defineCommand } from '../command.ts';

/** Hands everything on to the PM2 that manages the instances, with an environment in which no secret is. */
export const pm2 = defineCommand({
  usage: 'pm2 PM2-ARGUMENTS...',
  summary: 'run the PM2 that manages the instances',
  names: 'none',
  handsOn: 'all',
  options: ['help'],
  examples: [
    ['./manage pm2 monit', 'PM2’s own view of the processes'],
    ['./manage pm2 save', 'keep the present instances for the next boot'],
  ],
  details:
    'The project’s own PM2 where there is one, else that on PATH, with nothing of your shell that could be a secret.',

  run: async ({ root, environment }, { rest }) => {
    const { pm2Command, pm2TerminalEnvironment } = await import('../supervisor/pm2.ts');
    const { runInForeground } = await import('../terminal/foreground.ts');
    const [program, ...prefix] = pm2Command(root);
    return runInForeground({
      program,
      words: [...prefix, ...rest],
      directory: root,
      environment: pm2TerminalEnvironment(environment),
    });
  },
});
