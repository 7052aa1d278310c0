import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `npm run dev`: runs an instance from the sources, with the demo provider, and starts it again when a source changes. Its env file is
 * made once and may be edited, also while the instance runs. `npm run dev -- --env FILE` runs another one.
 */
const root = join(import.meta.dirname, '..');
const envFile = join(root, 'state', 'dev.env');
const ENV_TEXT = `# The instance of "npm run dev". An edit has effect at once; delete the file to begin again.
PROVIDER=demo
PORT=8078
`;

if (!existsSync(envFile)) {
  mkdirSync(join(root, 'state'), { recursive: true });
  writeFileSync(envFile, ENV_TEXT, { mode: 0o600 });
}

process.chdir(root);
// The permission model would allow only the files of a built executable, and restarts the process, which --watch would lose.
const environment = { ...process.env, PERMISSION_MODEL: 'off' };
const watch = ['--watch', '--watch-preserve-output', 'src/main.ts', '--env', envFile, ...process.argv.slice(2)];
process.execve?.(process.execPath, [process.execPath, ...watch], environment);
