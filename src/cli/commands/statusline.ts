import { clientBaseUrl, reachableHost } from '../../config/identity.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { printStatusLine } from '../statusLine/statusLine.ts';
import { loadInstances, selectInstances } from '../supervisor/instances.ts';

/** Prints the status line of an instance, by its name or by the address that the client uses. */
export async function statusline({ root, output, environment }: Context, { names }: Invocation): Promise<ExitCode> {
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
  await printStatusLine({ instance, host: reachableHost(host), port, usageFile });
  return exitCodes.ok;
}
