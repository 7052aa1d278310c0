import { join } from 'node:path';
import { reachableHost } from '../../../src/config/clientEnvironment.ts';
import type { Config } from '../../../src/config/config.ts';
import { usageFilePath } from '../../../src/telemetry/usage/file.ts';
import { quotePosix } from './shells.ts';

/**
 * The shell command that prints the status line of an instance. It tells all that is needed, so that nothing but the usage
 * file has to be read: Claude Code runs it after every answer.
 */
export function statusLineCommand(root: string, { instance, host, port, stateDirectory }: Config): string {
  const words = [
    process.execPath,
    join(root, 'scripts', 'statusline.cjs'),
    instance,
    reachableHost(host),
    String(port),
    usageFilePath(stateDirectory, instance),
  ];
  return words.map(quotePosix).join(' ');
}
