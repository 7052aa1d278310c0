import { join } from 'node:path';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';

/** Prints the status line of an instance, by its name or by the address that the client uses. */
export const statusline = defineCommand({
  usage: 'statusline [NAME]',
  summary: 'print one line for Claude Code’s status bar',
  names: 'optional',
  operand: { called: 'the name of one instance', most: 1 },
  options: ['help'],
  examples: [['./manage statusline demo < FILE', 'FILE holds what Claude Code gives to such commands']],
  details:
    'Instance, model that really answered, tokens and cost of the session, cost of today, from our own figures. Without a name\nthe instance is the one of ANTHROPIC_BASE_URL. ./manage run and use set it up.',

  run: async ({ root, output, environment }, { names }) => {
    const { clientBaseUrl, reachableHost } = await import('../../config/config.ts');
    const { usageFilePath } = await import('../../telemetry/usage/file.ts');
    const { printStatusLine } = await import('../statusline/statusLine.ts');
    const { loadInstances, selectInstances } = await import('../supervisor/instances.ts');
    const address = environment['ANTHROPIC_BASE_URL']?.replace(/\/+$/, '');
    const instances = loadInstances(root);
    const [found] =
      names.length > 0
        ? selectInstances(root, instances, names)
        : instances.filter(({ config }) => config !== undefined && clientBaseUrl(config) === address);
    const config = found?.config;
    if (config === undefined) {
      output.print(found === undefined ? 'not through this proxy' : `${found.name}: envs/${found.name}.env is wrong`);
      return exitCodes.ok;
    }
    const { instance, host, port, stateDirectory } = config;
    const usageFile = usageFilePath(stateDirectory, instance);
    const manager = join(root, 'manage');
    await printStatusLine({ instance, host: reachableHost(host), port, usageFile, manager }, environment);
    return exitCodes.ok;
  },
});
