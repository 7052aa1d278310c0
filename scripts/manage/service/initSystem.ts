import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** What starts programs when a machine starts, by PM2's names, told by a command of its own; in the order in which PM2 looks. */
const INIT_SYSTEMS = [
  ['systemctl', 'systemd'],
  ['update-rc.d', 'upstart'],
  ['chkconfig', 'systemv'],
  ['rc-update', 'openrc'],
  ['launchctl', 'launchd'],
  ['sysrc', 'rcd'],
  ['rcctl', 'rcd-openbsd'],
  ['svcadm', 'smf'],
] as const;

/** The commands by which an init system would be known. */
export const initCommands: readonly string[] = INIT_SYSTEMS.map(([command]) => command);

/** PM2's name for the init system of this machine; undefined when PM2 would know none. */
export function findInitSystem(path: string | undefined): string | undefined {
  return INIT_SYSTEMS.find(([command]) => isOnPath(command, path))?.[1];
}

/** Whether a program of that name can be run. */
export function isOnPath(command: string, path = ''): boolean {
  return path.split(':').some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
