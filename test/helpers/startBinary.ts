import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { executablePath } from '../../src/host/workers.ts';
import { expectNoSecret } from './secretForms.ts';
import type { Settings } from './startApp.ts';
import { temporaryFolder } from './temporaryFolder.ts';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export interface Binary {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** The instance's own folder, with its env file and its logs. */
  readonly folder: string;
  /** Everything it has written to stdout and stderr. */
  output(): string;
  /** Resolves with the exit status. */
  readonly exited: Promise<number | null>;
  /** Ends it at once; fails where it has written one of its secrets anywhere. */
  stop(): Promise<void>;
}

/** Everything that stands in the files of a folder; compressed ones do not count. */
function readFiles(folder: string): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

/** The keys and tokens that an instance was started with. */
function secretsOf(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => (/(?:KEY|TOKEN)$/.test(name) ? [value] : []));
}

const ROOT = join(import.meta.dirname, '../..');

/** The built bundle, run by Node with options of its own. */
export const withNodeOptions = (...options: readonly string[]): readonly string[] => [
  process.execPath,
  ...options,
  join(ROOT, 'dist/main.cjs'),
];

/** Starts the built executable with an env file of its own; does not wait until it listens. */
export async function spawnBinary(
  settings: Settings,
  name = 'test',
  words: readonly string[] = [],
  [program = '', ...begin]: readonly string[] = [executablePath(ROOT)],
  environment: NodeJS.ProcessEnv = {},
): Promise<Binary> {
  const { path: folder, remove } = temporaryFolder();
  const port = settings['PORT'] === undefined ? await freePort() : Number(settings['PORT']);
  const lines = Object.entries({
    PORT: String(port),
    LOG_DIR: join(folder, 'logs'),
    STATE_DIR: join(folder, 'state'),
    ...settings,
  });
  const file = join(folder, `${name}.env`);
  writeFileSync(file, lines.map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 });
  const child = spawn(program, [...begin, '--env', file, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes;
    });
  }
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    folder,
    output: () => output,
    exited,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      const written = ['logs', 'state'].map((name) => readFiles(join(folder, name)));
      remove();
      // Each test of the executable is a test of this, too (S1).
      expectNoSecret([output, ...written].join('\n'), secretsOf(settings));
    },
  };
}

/** Starts the built executable and resolves when it listens. */
export async function startBinary(
  settings: Settings,
  name = 'test',
  command?: readonly string[],
  environment?: NodeJS.ProcessEnv,
): Promise<Binary> {
  const binary = await spawnBinary(settings, name, [], command, environment);
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (binary.output().includes('listening on')) resolve();
    };
    binary.process.stdout?.on('data', look);
    binary.exited.then((code) => reject(new Error(`ended with ${code}: ${binary.output()}`)));
    look();
  });
  return binary;
}
