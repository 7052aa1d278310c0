import { type Context, defineCommand } from '../command.ts';
import { exitCodes, Failure } from '../exitCodes.ts';

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
    ['./manage pm2 kill --yes', 'end PM2 and all that it runs, without a question'],
  ],
  details:
    'The project’s own PM2 where there is one, else that on PATH, with nothing of your shell that could be a secret. What ends\napps of other checkouts or programs, too (kill, stop all, delete all), is asked about; --yes answers it.',

  run: async (context, { rest }) => {
    const { root, environment, output } = context;
    const { pm2Command, pm2TerminalEnvironment } = await import('../supervisor/pm2.ts');
    const { runInForeground } = await import('../terminal/foreground.ts');
    const isEnding = endsAll(rest);
    if (isEnding && !rest.includes('--yes') && !(await isWanted(context, rest))) {
      output.say('Cancelled; nothing was changed.');
      return exitCodes.failed;
    }
    const [program, ...prefix] = pm2Command(root);
    return runInForeground({
      program,
      words: [...prefix, ...(isEnding ? rest.filter((word) => word !== '--yes') : rest)],
      directory: root,
      environment: pm2TerminalEnvironment(environment),
    });
  },
});

/** Whether PM2 would end everything that it runs. */
function endsAll(words: readonly string[]): boolean {
  const [command = '', target] = words.filter((word) => !word.startsWith('-'));
  return command === 'kill' || (['stop', 'delete', 'del'].includes(command) && target === 'all');
}

/** Asks, when PM2 runs what is not of this checkout. */
async function isWanted({ root, pm2: manager, prompter }: Context, rest: readonly string[]): Promise<boolean> {
  const { describeOtherApps } = await import('../supervisor/pm2.ts');
  // A daemon that does not answer can only be ended.
  const others = describeOtherApps(await manager.list().catch(() => []), root);
  if (others.length === 0) return true;
  const affected = `this ends what is not of this checkout, too: ${others.join(', ')}`;
  if (prompter === undefined) {
    throw new Failure(
      `${affected}; to do it without a question: ./manage pm2 ${rest.join(' ')} --yes`,
      exitCodes.usage,
    );
  }
  return prompter.confirm(`${affected[0]?.toUpperCase()}${affected.slice(1)}. Do it?`);
}
