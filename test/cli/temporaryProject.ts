import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const REPOSITORY = resolve(import.meta.dirname, '..', '..');
const NODE = process.execPath;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One row of `status --json`, as far as the tests read it. */
export interface StatusRow {
  readonly name: string;
  readonly port: number | null;
  readonly state: string;
  readonly supervised: boolean;
  readonly pid: number | null;
  readonly remark: string | null;
}

/** A copy of the project in a directory of its own, with a PM2 home of its own. */
export interface TemporaryProject {
  readonly root: string;
  readonly home: string;
  readonly pm2Home: string;
  /** Runs the manager; `stdin` is what it can read there. */
  manage(words: readonly string[], environment?: Record<string, string>, stdin?: string): Promise<Finished>;
  pm2(words: readonly string[], environment?: Record<string, string>): Promise<Finished>;
  status(): Promise<StatusRow[]>;
  /** Writes envs/NAME.env on a free port, which it gives; for the demo provider unless a line names another. */
  addInstance(name: string, lines?: readonly string[]): Promise<number>;
  dispose(): Promise<void>;
}

export interface ProjectOptions {
  /** The binary; the fake proxy when absent. */
  readonly binary?: string;
  /** Whether all is as the build leaves it, and the launcher is used, which takes the manager in one file. Else its sources are run. */
  readonly isBuilt?: boolean;
  /** How long PM2 waits for an instance, in ms. */
  readonly listenTimeout?: number;
  /** The name of its folder, which is also in the paths of its home and of PM2's. */
  readonly folder?: string;
  /** Another project, whose home and PM2 it shares. */
  readonly beside?: TemporaryProject;
}

export function run(
  command: string,
  words: readonly string[],
  cwd: string,
  env: Record<string, string>,
  stdin = '',
): Promise<Finished> {
  return new Promise((done, failed) => {
    const child = spawn(command, words, { cwd, env, stdio: 'pipe' });
    child.stdin.on('error', () => {}); // most commands do not read it
    child.stdin.end(stdin);
    const finished = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      finished.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      finished.stderr += text;
    });
    child.on('error', failed);
    child.on('close', (code) => done({ ...finished, code }));
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? done(address.port) : failed(new Error('no port'))));
    });
  });
}

async function placeBinary(root: string, binary: string | undefined): Promise<void> {
  const target = join(root, 'dist', 'claude-code-proxy');
  await mkdir(dirname(target), { recursive: true });
  if (binary !== undefined) return symlink(binary, target);
  const fakeProxy = join(REPOSITORY, 'test', 'cli', 'fakeProxy.mjs');
  await writeFile(target, `#!${NODE}\nawait import(${JSON.stringify(fakeProxy)});\n`, { mode: 0o755 });
}

/** Copies with the dates, by which the launcher knows what is current. */
function copy(root: string, part: string): Promise<void> {
  return cp(join(REPOSITORY, part), join(root, part), { recursive: true, preserveTimestamps: true });
}

/** Makes the project; `dispose` ends its PM2 and removes it. */
export async function createProject({
  binary,
  isBuilt = false,
  listenTimeout,
  folder,
  beside,
}: ProjectOptions = {}): Promise<TemporaryProject> {
  const base = beside === undefined ? await mkdtemp(join(tmpdir(), 'ccp-')) : dirname(beside.root);
  const root = join(base, folder ?? 'project');
  const home = beside?.home ?? (folder === undefined ? base : join(base, `home ${folder}`));
  const pm2Home = beside?.pm2Home ?? join(home, 'pm2');
  await mkdir(home, { recursive: true });
  await mkdir(join(root, 'logs'), { recursive: true });
  for (const part of ['scripts', 'src', 'package.json']) await copy(root, part);
  const isExample = (path: string) => !path.endsWith('.env');
  await cp(join(REPOSITORY, 'envs'), join(root, 'envs'), { recursive: true, filter: isExample });
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  await placeBinary(root, isBuilt ? join(REPOSITORY, 'dist', 'claude-code-proxy') : binary);
  const ofBuild = ['manage', 'package-lock.json', 'dist/manager.cjs', 'dist/page', 'dist/build.json'];
  if (isBuilt) for (const part of ofBuild) await copy(root, part);
  const ecosystem = await readFile(join(REPOSITORY, 'ecosystem.config.cjs'), 'utf8');
  const timeout = `listen_timeout: ${listenTimeout ?? 10_000}`;
  await writeFile(join(root, 'ecosystem.config.cjs'), ecosystem.replace('listen_timeout: 10_000', timeout));

  const environmentOfAll = { PATH: `${dirname(NODE)}:${process.env['PATH']}`, HOME: home, PM2_HOME: pm2Home };
  const [program, ...prefix] = isBuilt ? [join(root, 'manage')] : [NODE, join(root, 'scripts', 'manage.ts')];
  const manage: TemporaryProject['manage'] = (words, environment = {}, stdin = '') =>
    run(program, [...prefix, ...words], root, { ...environmentOfAll, ...environment }, stdin);
  const pm2: TemporaryProject['pm2'] = (words, environment = {}) =>
    run(NODE, [join(root, 'node_modules', 'pm2', 'bin', 'pm2'), ...words], root, {
      ...environmentOfAll,
      PM2_DISCRETE_MODE: 'true',
      PM2_DISABLE_VERSION_CHECK: 'true',
      PM2_NO_INTERACTION: 'true',
      ...environment,
    });
  return {
    root,
    home,
    pm2Home,
    manage,
    pm2,
    status: async () => JSON.parse((await manage(['status', '--json'])).stdout).instances,
    addInstance: async (name, lines = []) => {
      const port = await freePort();
      const provider = lines.some((line) => line.startsWith('PROVIDER=')) ? [] : ['PROVIDER=demo'];
      const text = [...provider, `PORT=${port}`, 'DRAIN_SECONDS=5', ...lines].join('\n');
      await writeFile(join(root, 'envs', `${name}.env`), `${text}\n`, { mode: 0o600 });
      return port;
    },
    dispose: async () => {
      await manage(['stop', 'all']); // also what PM2 has lost
      await pm2(['kill']);
      await rm(base, { recursive: true, force: true });
    },
  };
}
