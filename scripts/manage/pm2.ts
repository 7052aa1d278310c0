import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { asNumber, asString, isObject } from '../../src/core/json.ts';
import { Failure } from './exitCodes.ts';
import { callDaemon } from './pm2Socket.ts';

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
  /** After so many ms PM2 kills a process that does not stop. */
  readonly killTimeout: number | undefined;
  readonly executable: string;
  readonly args: readonly string[];
}

/** PM2, driven by its command line and read over its daemon’s socket: it is never loaded into this process (licence, 178 ms) and keeps the user's own home. */
export interface Pm2 {
  /** Does not start the PM2 daemon: without one the list is empty. */
  list(): Promise<Pm2Row[]>;
  /** Starts the named apps of the ecosystem file, without waiting until they answer. */
  start(names: readonly string[]): Promise<void>;
  /** Starts more processes of an app that PM2 runs, with the settings under which PM2 knows it. */
  add(name: string, count: number): Promise<void>;
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

/** A daemon that is well answers in a few milliseconds. */
const SOCKET_TIMEOUT_MS = 2000;
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

const TERMINAL = /^(TERM|COLORTERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR)$/;

/** The environment for PM2 as the user's own command: it may speak, and knows the terminal. */
export function pm2TerminalEnvironment(environment: Pm2Options['environment']): Record<string, string | undefined> {
  const terminal = Object.entries(environment).filter(([name]) => TERMINAL.test(name));
  return { ...pm2Environment(environment), ...Object.fromEntries(terminal), PM2_PROGRAMMATIC: undefined };
}

/** The program and the first words with which PM2 is run: the project's own copy, under the running Node, or the one on PATH. */
export function pm2Command(root: string): readonly [program: string, ...words: string[]] {
  const own = join(root, 'node_modules', 'pm2', 'bin', 'pm2');
  return existsSync(own) ? [process.execPath, own] : ['pm2'];
}

/** Reads what `pm2 jlist` prints; lines before the list (a warning about PM2's version, say) are passed over. */
export function parseList(text: string): Pm2Row[] {
  const start = text.search(/^\[(?=[{\]])/m);
  return readList(start < 0 ? undefined : JSON.parse(text.slice(start)));
}

function readList(list: unknown): Pm2Row[] {
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
      killTimeout: asNumber(details['kill_timeout']),
      executable: asString(details['pm_exec_path']) ?? '',
      args: Array.isArray(args) ? args.filter((word) => typeof word === 'string') : [],
    };
  });
}

function socketPath(environment: Pm2Options['environment']): string {
  if (process.platform === 'win32') return '\\\\.\\pipe\\rpc.sock';
  const home = environment['PM2_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pm2');
  return join(home, 'rpc.sock');
}

/** PM2 for the project at `root`. */
export function createPm2({ root, environment }: Pm2Options): Pm2 {
  const [command, ...prefix] = pm2Command(root);
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
    list: async () => {
      try {
        const answer = await callDaemon(socketPath(environment), 'getMonitorData', SOCKET_TIMEOUT_MS);
        return answer.alive ? readList(answer.result) : [];
      } catch {
        // Another version of PM2 may have a daemon with other words; its own command line knows them.
        return parseList(await run(['jlist'], LIST_TIMEOUT_MS));
      }
    },
    start: async (names) => void (await run(['start', 'ecosystem.config.cjs', '--only', names.join(',')])),
    add: async (name, count) => void (await run(['scale', name, `+${count}`])),
    remove: async (id) => void (await run(['delete', String(id)])),
  };
}
