import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { instanceName } from '../../config/config.ts';
import { asNumber, asString, isObject, parseObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';
import { executablePath } from '../../host/workers.ts';
import { Failure } from '../exitCodes.ts';

/** The PM2 namespace of the apps in ecosystem.config.cjs; a checkout with a suffix has it behind this, too. */
const NAMESPACE = 'claude-code-proxy';

const ECOSYSTEM = 'ecosystem.config.cjs';

/** What shows whose an app of PM2 is. */
interface App {
  readonly name: string;
  readonly namespace: string;
  readonly executable: string;
  /** In which PM2 starts it; of an app of ours the checkout. */
  readonly directory: string;
}

/** Whether PM2 got an app from the ecosystem file of some checkout of this project. */
function isFromEcosystem({ namespace }: App): boolean {
  return namespace === NAMESPACE || namespace.startsWith(`${NAMESPACE}@`);
}

/** Whether an app is of the checkout in `root`: it runs the executable there, or PM2 got it from the ecosystem file there. */
export function isAppOf(row: App, root: string): boolean {
  return row.executable === executablePath(root) || (isFromEcosystem(row) && row.directory === root);
}

/** What PM2 runs beside the apps of the checkout in `root`, each with whose it is; an app of several processes once. */
export function describeOtherApps(rows: readonly App[], root: string): string[] {
  const others = rows.filter((row) => !isAppOf(row, root));
  const lines = others.map((row) => {
    const whose = isFromEcosystem(row) ? `another checkout, ${row.directory}` : 'another program';
    return terminalSafe(`${row.name} (${whose})`);
  });
  return [...new Set(lines)];
}

/**
 * Whether the checkout that an app is of is no longer where PM2 found it: moved while the app ran, or removed. Such an app serves on,
 * and whoever has an instance of its name may take it over.
 */
export function isAbandoned(row: App): boolean {
  return isFromEcosystem(row) && !existsSync(join(row.directory, ECOSYSTEM));
}

function stateFile(root: string): string {
  return join(root, 'state', 'pm2.json');
}

function readSuffix(root: string): string {
  const file = stateFile(root);
  return existsSync(file) ? (asString(parseObject(readFileSync(file, 'utf8'))?.['nameSuffix']) ?? '') : '';
}

/**
 * The names under which PM2 shall know these instances of the checkout in `root`: their own, and once another app of PM2 has one of
 * them, or its namespace, with a suffix. It is kept for ecosystem.config.cjs, which reads it.
 * @param rows all apps that PM2 has
 */
export function reserveAppNames(root: string, rows: readonly App[], instances: readonly string[]): string[] {
  const others = rows.filter((row) => !isAppOf(row, root) && !isAbandoned(row));
  const isTaken = (suffix: string) =>
    others.some(
      ({ name, namespace }) =>
        namespace === `${NAMESPACE}${suffix}` || instances.some((instance) => name === `${instance}${suffix}`),
    );
  const folder = instanceName(join(root, '.env')); // which is named after its folder
  let suffix = readSuffix(root);
  if (isTaken(suffix)) {
    suffix = `@${folder}`;
    for (let number = 2; isTaken(suffix); number += 1) suffix = `@${folder}-${number}`;
    mkdirSync(join(root, 'state'), { recursive: true });
    writeFileSync(stateFile(root), `${JSON.stringify({ nameSuffix: suffix })}\n`);
  }
  return instances.map((instance) => `${instance}${suffix}`);
}

/**
 * PM2's own protocol between its command line and its daemon, for reading alone: a message is a byte with version and number of parts,
 * then each part with its length; the parts are a call as JSON and an id, which the answer repeats. Asked so, the list comes in 5 ms;
 * the command line needs 140 (measured).
 */
const VERSION = 1;
const LENGTH_BYTES = 4;
const ID = 's:manage:0';

function encode(parts: readonly string[]): Buffer {
  const pieces = [Buffer.from([(VERSION << 4) | parts.length])];
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

/** The parts of a message; undefined as long as it is not complete. Throws when it is none of this protocol. */
function decode(message: Buffer): readonly string[] | undefined {
  const head = message[0];
  if (head === undefined) return undefined;
  if (head >> 4 !== VERSION) throw new Error('it speaks another protocol');
  const parts: string[] = [];
  let at = 1;
  for (let count = head & 0x0f; count > 0; count -= 1) {
    if (message.length < at + LENGTH_BYTES) return undefined;
    const end = at + LENGTH_BYTES + message.readUInt32BE(at);
    if (message.length < end) return undefined;
    parts.push(message.toString('utf8', at + LENGTH_BYTES, end));
    at = end;
  }
  return parts;
}

function resultOf(parts: readonly string[]): unknown {
  const [answer = '', id] = parts;
  const { args, error } = (answer.startsWith('j:') ? parseObject(answer.slice(2)) : undefined) ?? {};
  if (id !== ID || !Array.isArray(args))
    throw new Error(typeof error === 'string' ? error : 'it answered something else');
  return args[0];
}

/** What of a daemon: nobody listens on its socket, or what it answered. */
export type DaemonAnswer = { readonly alive: false } | { readonly alive: true; readonly result: unknown };

/** Calls a method of PM2's daemon without arguments. Rejects when there is a daemon that does not answer as it should. */
export function callDaemon(socketPath: string, method: string, timeoutMs: number): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    let received = Buffer.alloc(0);
    let connected = false;
    const fail = (error: NodeJS.ErrnoException) => {
      socket.destroy();
      if (connected || error.code === 'EACCES') reject(error);
      else resolve({ alive: false });
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`it did not answer within ${timeoutMs} ms`)));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('it closed the connection')));
    socket.on('connect', () => {
      connected = true;
      socket.write(encode([`j:${JSON.stringify({ type: 'call', method, args: [{}] })}`, ID]));
    });
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      try {
        const parts = decode(received);
        if (parts === undefined) return;
        const result = resultOf(parts);
        socket.destroy();
        resolve({ alive: true, result });
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}

/** One line of PM2's process list, without the environment that PM2 keeps with it. */
export interface Pm2Row {
  readonly id: number;
  readonly name: string;
  readonly namespace: string;
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
  /** In which PM2 starts it; of an app of ours the checkout. */
  readonly directory: string;
  /** NODE_EXTRA_CA_CERTS of the shell that started it. */
  readonly extraCaFile?: string | undefined;
}

/** PM2, driven by its command line and read over its daemon’s socket: it is never loaded into this process (licence, 178 ms) and keeps the user's own home. */
export interface Pm2 {
  /** Does not start the PM2 daemon: without one the list is empty. */
  list(): Promise<Pm2Row[]>;
  /** Starts these instances by the ecosystem file, without waiting until they answer. */
  start(instances: readonly string[]): Promise<void>;
  /** Starts more processes of an app that PM2 runs, by PM2's name for it, with the settings under which PM2 knows it. */
  add(name: string, count: number): Promise<void>;
  /** Stops an app, within its kill_timeout, and takes it off the list. */
  remove(id: number): Promise<void>;
}

export interface Pm2Options {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What of the caller's shell PM2 and its daemon may see; everything else could be a secret. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|PM2_HOME|MANAGER_COMMAND|NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|SSL_CERT_(FILE|DIR)|SystemRoot|APPDATA|USERPROFILE)$/;
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

/** Reads what `pm2 jlist` prints; lines before the list (a warning about PM2's version, for instance) are skipped. */
export function parseList(text: string): Pm2Row[] {
  const start = text.search(/^\[(?=[{\]])/m);
  return readList(start < 0 ? undefined : JSON.parse(text.slice(start)));
}

function readList(list: unknown): Pm2Row[] {
  if (!Array.isArray(list)) throw new Failure('PM2 answered with something that is not its process list');
  return list.filter(isObject).map((entry) => {
    const details = isObject(entry['pm2_env']) ? entry['pm2_env'] : {};
    const status = asString(details['status']) ?? 'unknown';
    const { args, env } = details;
    return {
      id: asNumber(entry['pm_id']) ?? -1,
      name: asString(entry['name']) ?? '',
      namespace: asString(details['namespace']) ?? '',
      status,
      // PM2 goes on showing the last pid while it waits to restart.
      pid: ['online', 'launching', 'stopping'].includes(status) ? (asNumber(entry['pid']) ?? 0) : 0,
      exitCode: asNumber(details['exit_code']),
      restarts: asNumber(details['restart_time']) ?? 0,
      killTimeout: asNumber(details['kill_timeout']),
      executable: asString(details['pm_exec_path']) ?? '',
      args: Array.isArray(args) ? args.filter((word) => typeof word === 'string') : [],
      directory: asString(details['pm_cwd']) ?? '',
      extraCaFile: isObject(env) ? asString(env['NODE_EXTRA_CA_CERTS']) : undefined,
    };
  });
}

/** The folder in which PM2 keeps its state. */
export function pm2Home(environment: Pm2Options['environment']): string {
  return environment['PM2_HOME'] ?? join(environment['HOME'] ?? homedir(), '.pm2');
}

/** Where PM2's daemon listens. */
export function pm2Socket(environment: Pm2Options['environment']): string {
  return process.platform === 'win32' ? '\\\\.\\pipe\\rpc.sock' : join(pm2Home(environment), 'rpc.sock');
}

/** For its owner alone: by the sockets in it programs are started, and PM2 itself would let everybody in. */
function makeHome(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(`PM2's folder ${path} cannot be made: ${error instanceof Error ? error.message : error}`);
  }
}

/** PM2 for the project at `root`. */
export function createPm2({ root, environment }: Pm2Options): Pm2 {
  const [command, ...prefix] = pm2Command(root);
  const scrubbed = pm2Environment(environment);

  function run(words: readonly string[], timeout?: number): Promise<string> {
    makeHome(resolvePath(root, pm2Home(environment)));
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

  async function list(): Promise<Pm2Row[]> {
    try {
      const answer = await callDaemon(pm2Socket(environment), 'getMonitorData', SOCKET_TIMEOUT_MS);
      return answer.alive ? readList(answer.result) : [];
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EACCES')
        throw new Failure(`the PM2 in ${pm2Home(environment)} was started by another user, and may not be asked`);
      // Another version of PM2 may have a daemon with other words; its own command line knows them.
      return parseList(await run(['jlist'], LIST_TIMEOUT_MS));
    }
  }

  return {
    list,
    start: async (instances) => {
      const names = reserveAppNames(root, await list(), instances);
      await run(['start', 'ecosystem.config.cjs', '--only', names.join(',')]);
    },
    add: async (name, count) => void (await run(['scale', name, `+${count}`])),
    remove: async (id) => void (await run(['delete', String(id)])),
  };
}
