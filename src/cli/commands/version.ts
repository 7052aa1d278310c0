import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { common } from '../options.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Shows the versions of all parts, and how to get newer ones; asks nobody over the network. */
export const version = defineCommand({
  usage: 'version',
  summary: 'show the versions of all parts',
  names: 'none',
  options: ['json', ...common],
  examples: [['./manage version', 'this project, its executable, Node.js and PM2, and how to update']],
  details: 'Asks nobody over the network.',

  run: async ({ root, output }, { json }) => {
    const { readVersions } = await import('../bundle/report.ts');
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
    const { isInstalled } = await import('../installation.ts');
    output.say(
      isInstalled(root)
        ? 'To update: npm install -g claude-code-proxy@latest, then ./manage reload all'
        : 'To update: git pull, then ./manage reload all (it installs and builds what has changed).',
    );
    return exitCodes.ok;
  },
});
