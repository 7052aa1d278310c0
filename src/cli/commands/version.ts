import type { Invocation } from '../args.ts';
import { readVersions } from '../bugReport/report.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';

const SCHEMA = 1;

/** Shows the versions of all parts, and how to get newer ones; asks nobody over the network. */
export async function version({ root, output }: Context, { json }: Invocation): Promise<ExitCode> {
  const versions = await readVersions(root);
  if (json) {
    output.print(JSON.stringify({ schema: SCHEMA, ...versions }, undefined, 2));
    return exitCodes.ok;
  }
  output.print(
    [
      `claude-code-proxy ${versions.manager}`,
      `executable        ${versions.executable}`,
      `Node.js           ${versions.node}`,
      `PM2               ${versions.pm2}`,
    ].join('\n'),
  );
  output.say('To update: git pull, then ./manage reload all (it installs and builds what has changed).');
  return exitCodes.ok;
}
