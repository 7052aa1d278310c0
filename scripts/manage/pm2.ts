import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { asNumber, asString, isObject } from '../../src/core/json.ts';
import { Failure } from './exitCodes.ts';

/** One line of PM2's process list, without the environment that PM2 keeps with it. */
export interface Pm2Row {
  readonly id: number;
  readonly name: string;
  /** `online`, `launching`, `stopping`, `stopped`, `errored` or `waiting restart`. */
  readonly status: string;
  /** 0 unless a process lives. */
  readonly pid: number;
  readonly exitCode: number | undefined;
  readonly restarts: number;
  readonly executable: string;
  readonly args: readonly string[];
}

/** PM2, driven by its command line: it is never loaded into this process (licence, 178 ms) and keeps the user's own home. */
export interface Pm2 {
  /** Does not start the PM2 daemon: without one the list is empty. */
  list(): Promise<Pm2Row[]>;
  /** Starts the named apps of the ecosystem file, without waiting until they answer. */
  start(names: readonly string[]): Promise<void>;
  /** Stops an app, as patiently as its kill_timeout says, and takes it off the list. */
  remove(id: number): Promise<void>;
}

export interface Pm2Options {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What of the caller's shell PM2 and its daemon may see; everything else could be a secret. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|PM2_HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|SystemRoot|APPDATA|USERPROFILE)$/;
const NETWORK_PROXY = /^(https?|all|no)_proxy$/i;

/** Settings that make PM2 quiet and keep it from calling home; PM2 reads the first as text. */
const SETTINGS = {
  PM2_PROGRAMMATIC: 'true',
  PM2_DISCRETE_MODE: 'true',
  PM2_DISABLE_VERSION_CHECK: 'true',
  PM2_NO_INTERACTION: 'true',
  // Two by default, so that many instances would start one after another.
  PM2_CONCURRENT_ACTIONS: '64',
};

const LIST_TIMEOUT_MS = 15_000;

/** The environment for PM2's own processes. The daemon inherits it from whoever starts it first, and keeps it. */
export function pm2Environment(environment: Pm2Options['environment']): Record<string, string> {
  const kept = Object.entries(environment).filter(
    ([name, value]) => PASSED_ON.test(name) || (NETWORK_PROXY.test(name) && !value?.includes('@')),
  );
  return {
    ...Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    ...SETTINGS,
  };
}

/** Reads what `pm2 jlist` prints; lines before the list (a warning about PM2's version, say) are passed over. */
export function parseList(text: string): Pm2Row[] {
  const start = text.search(/^\[(?=[{\]])/m);
  const list: unknown = start < 0 ? undefined : JSON.parse(text.slice(start));
  if (!Array.isArray(list)) throw new Failure('PM2 answered with something that is not its process list');
  return list.filter(isObject).map((entry) => {
    const details = isObject(entry['pm2_env']) ? entry['pm2_env'] : {};
    const status = asString(details['status']) ?? 'unknown';
    const args = details['args'];
    return {
      id: asNumber(entry['pm_id']) ?? -1,
      name: asString(entry['name']) ?? '',
      status,
      // PM2 goes on showing the last pid while it waits to restart.
      pid: ['online', 'launching', 'stopping'].includes(status) ? (asNumber(entry['pid']) ?? 0) : 0,
      exitCode: asNumber(details['exit_code']),
      restarts: asNumber(details['restart_time']) ?? 0,
      executable: asString(details['pm_exec_path']) ?? '',
      args: Array.isArray(args) ? args.filter((word) => typeof word === 'string') : [],
    };
  });
}

/** Whether PM2's daemon listens on its socket. */
function isDaemonAlive(environment: Pm2Options['environment']): Promise<boolean> {
  if (process.platform === 'win32') return Promise.resolve(true); // a named pipe; asking PM2 itself is as good
  const home = environment['PM2_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pm2');
  return new Promise((resolve) => {
    const socket = createConnection(join(home, 'rpc.sock'));
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** PM2 for the project at `root`: its own copy, under the running Node, or the one on PATH. */
export function createPm2({ root, environment }: Pm2Options): Pm2 {
  const own = join(root, 'node_modules', 'pm2', 'bin', 'pm2');
  const [command, ...prefix] = existsSync(own) ? ([process.execPath, own] as const) : (['pm2'] as const);
  const scrubbed = pm2Environment(environment);

  function run(words: readonly string[], timeout?: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, [...prefix, ...words], {
        cwd: root,
        env: scrubbed,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(timeout === undefined ? {} : { timeout }),
      });
      let printed = '';
      let complained = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complained += text;
      });
      child.on('error', (error) =>
        reject(new Failure(`PM2 cannot be run (${error.message}); install it with: npm ci`)),
      );
      child.on('close', (code, signal) => {
        if (code === 0) resolve(printed);
        else if (signal !== null) reject(new Failure(`PM2 did not answer to "pm2 ${words[0]}" within ${timeout} ms`));
        else reject(new Failure(`"pm2 ${words[0]}" failed: ${complained.trim() || `exit status ${code}`}`));
      });
    });
  }

  return {
    list: async () => ((await isDaemonAlive(environment)) ? parseList(await run(['jlist'], LIST_TIMEOUT_MS)) : []),
    start: async (names) => void (await run(['start', 'ecosystem.config.cjs', '--only', names.join(',')])),
    remove: async (id) => void (await run(['delete', String(id)])),
  };
}
