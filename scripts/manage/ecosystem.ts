import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the manager reads of an app in ecosystem.config.cjs; PM2 reads the rest. */
export interface EcosystemApp {
  readonly name: string;
  /** Absolute path of the binary. */
  readonly script: string;
  /** `--env FILE`, the file absolute, and what else the binary is told. */
  readonly args: readonly [string, string, ...string[]];
  /** The whole environment of the instance but for what PM2 adds. */
  readonly env: Readonly<Record<string, string>>;
  readonly out_file: string;
  /** In ms. */
  readonly kill_timeout: number;
  /** How long an instance may take until it answers, in ms. */
  readonly listen_timeout: number;
}

/** The list that PM2 reads too, so that there is one truth; made anew at each call, as envs/ may have changed. */
export function readEcosystem(root: string): readonly EcosystemApp[] {
  const file = join(root, 'ecosystem.config.cjs');
  const require = createRequire(file);
  delete require.cache[file];
  return require(file).apps;
}
