import { styleText } from 'node:util';
import type { Instance } from '../../../src/cli/supervisor/instances.ts';
import type { Colour } from '../../../src/cli/terminal/output.ts';
import { configFromText } from '../../../src/config/load.ts';
import { presets } from '../../../src/providers/index.ts';

const ROOT = '/home/you/claude-code-proxy';

/** The moment of all pictures, in this machine's own time, so that they are the same everywhere. In ms since 1970. */
export const PICTURE_TIME = new Date(2026, 10, 20, 14, 3, 7).getTime();

/** Always in colours. */
export const paint = (colour: Colour, text: string): string => styleText(colour, text, { validateStream: false });

/** The instances of the examples, sorted by name as the commands show them. */
export function sampleInstances(): Instance[] {
  return presets
    .flatMap(({ name, port, protocol }) => {
      if (port === undefined) return [];
      const key = protocol === 'demo' ? '' : 'OPENAI_API_KEY=sk-picture\n';
      return [sampleInstance(name, `PROVIDER=${name}\nPORT=${port}\n${key}`)];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function sampleInstance(name: string, text: string): Instance {
  const file = `${ROOT}/envs/${name}.env`;
  const { config, problems } = configFromText(`envs/${name}.env`, text, {}, ROOT);
  const app = {
    name,
    script: `${ROOT}/dist/claude-code-proxy`,
    args: ['--env', file],
    env: {},
    out_file: `${ROOT}/logs/${name}/console.log`,
    kill_timeout: 35_000,
    listen_timeout: 10_000,
  } as const;
  return { name, app, config, problems };
}
