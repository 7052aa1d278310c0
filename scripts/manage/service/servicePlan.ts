import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../exitCodes.ts';
import { pm2Command } from '../pm2.ts';
import { findInitSystem, initCommands, isOnPath } from './initSystem.ts';

/** The way in which PM2, and with it the instances, is started with the machine. */
export interface ServicePlan {
  readonly initSystem: string;
  readonly user: string;
  /** How PM2 calls the service. */
  readonly serviceName: string;
  readonly pm2Home: string;
  /** What `pm2 save` writes, and is started with the machine. */
  readonly listFile: string;
  /** The command, with root's rights, that makes or removes the service. */
  command(action: 'startup' | 'unstartup'): readonly string[];
}

/**
 * Finds out what to do on this machine.
 * @throws Failure when PM2 knows no init system here, saying what to do instead.
 */
export function planService({ root, environment }: Context): ServicePlan {
  const path = environment['PATH'];
  const initSystem = findInitSystem(path);
  if (initSystem === undefined) {
    const missing = initCommands.join(', ');
    throw new Failure(
      `nothing here starts programs with the machine in a way that PM2 knows: none of ${missing} is on PATH.\n` +
        `Have it run this by other means (cron: @reboot; a container: its own command): ${join(root, 'manage')} start all`,
    );
  }
  const user = environment['USER'] ?? environment['LOGNAME'] ?? userInfo().username;
  const pm2Home = environment['PM2_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pm2');
  const asRoot = process.getuid?.() === 0 || initSystem === 'launchd' ? [] : ['sudo'];
  if (asRoot.length > 0 && !isOnPath('sudo', path))
    throw new Failure('this needs the rights of root, and sudo is not on PATH');
  // The service finds the pinned Node.js by this PATH, and nothing else of the caller's shell goes along.
  const variables = [
    `PATH=${dirname(process.execPath)}:${path}`,
    `PM2_HOME=${pm2Home}`,
    'PM2_DISABLE_VERSION_CHECK=true',
  ];
  return {
    initSystem,
    user,
    serviceName: `pm2-${user}`,
    pm2Home,
    listFile: join(pm2Home, 'dump.pm2'),
    command: (action) => [...asRoot, 'env', ...variables, ...pm2Command(root), action, initSystem, '-u', user],
  };
}
