import { execFile, execFileSync } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** A socket on which somebody waits for connections, as Linux lists it. */
export interface ListeningSocket {
  readonly host: string;
  readonly port: number;
  /** What a descriptor of its process points at: `socket:[INODE]`. */
  readonly link: string;
}

const LISTENING = '0A';

/** The kernel writes an address as words of four bytes, each in the machine's order, which is little-endian wherever Node runs. */
function readHost(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse()).map((byte) => Number.parseInt(byte, 16));
  if (bytes.length === 4) return bytes.join('.');
  const groups = bytes.flatMap((byte, index) => (index % 2 === 0 ? [(byte << 8) | (bytes[index + 1] ?? 0)] : []));
  return groups.every((group) => group === 0) ? '::' : groups.map((group) => group.toString(16)).join(':');
}

/** Reads a table of the kernel, `/proc/net/tcp` or `tcp6`. */
export function parseSocketTable(text: string): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const [host, port] = local?.split(':') ?? [];
      if (state !== LISTENING || host === undefined || port === undefined) return [];
      return [{ host: readHost(host), port: Number.parseInt(port, 16), link: `socket:[${inode}]` }];
    });
}

/** All listening TCP sockets of this machine; Linux only. */
export async function listeningSockets(): Promise<ListeningSocket[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFile(table, 'utf8').catch(() => '')),
  );
  return tables.flatMap(parseSocketTable);
}

const run = promisify(execFile);

/** The words of the command with which a process was started; undefined when there is no such process or it is hidden. */
export async function readCommand(pid: number): Promise<string[] | undefined> {
  try {
    if (process.platform === 'linux') {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return text === '' ? undefined : text.replace(/\0$/, '').split('\0');
    }
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    return stdout.trim().split(' ');
  } catch {
    return undefined;
  }
}

/** The number of the user to whom a process belongs; undefined when there is no such process or the system does not say. */
export async function readOwner(pid: number): Promise<number | undefined> {
  if (process.platform === 'linux') {
    // Not by who owns the folder: of a process that may not be inspected that is root.
    const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return numberIn(/^Uid:\s+(?<uid>\d+)/m.exec(text)?.groups?.['uid']);
  }
  const { stdout } = await run('ps', ['-o', 'uid=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return numberIn(stdout.trim());
}

/** systemd's unit of a process, when it is one of this project's for an env file (deploy/debian). */
export async function readUnit(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  return /\/(?<unit>claude-code-proxy@[\w.-]{1,100}\.service)$/m.exec(groups)?.groups?.['unit'];
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}

/** The name of a user; `user 1000` when the system knows none. */
export function userName(uid: number): string {
  try {
    return execFileSync('id', ['-un', String(uid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return `user ${uid}`;
  }
}

/** The process that listens on a TCP port. */
export interface PortHolder {
  readonly pid: number;
  /** Name of the program, without its arguments, which could hold secrets. */
  readonly program: string;
}

/** Who listens on a port; undefined when it cannot be known, as with a process of another user. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  const pid = process.platform === 'linux' ? await findListenerInProc(port) : await findListenerByLsof(port);
  if (pid === undefined) return undefined;
  return { pid, program: basename((await readCommand(pid))?.[0] ?? 'unknown') };
}

async function findListenerInProc(port: number): Promise<number | undefined> {
  const sockets = (await listeningSockets()).filter((socket) => socket.port === port).map(({ link }) => link);
  if (sockets.length === 0) return undefined;
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    const descriptors = await readdir(`/proc/${entry}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${entry}/fd/${descriptor}`).catch(() => '');
      if (sockets.includes(target)) return Number(entry);
    }
  }
  return undefined;
}

async function findListenerByLsof(port: number): Promise<number | undefined> {
  const { stdout } = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t']).catch(() => ({ stdout: '' }));
  return /^\d+$/m.test(stdout) ? Number.parseInt(stdout, 10) : undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a process waits for connections; none when it cannot be known, as with a process of another user. */
export async function listeningAddresses(pid: number): Promise<readonly Address[]> {
  return process.platform === 'linux' ? await addressesInProc(pid) : await addressesByLsof(pid);
}

async function addressesInProc(pid: number): Promise<readonly Address[]> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const links = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  const sockets = await listeningSockets();
  return sockets.filter(({ link }) => links.includes(link)).map(({ host, port }) => ({ host, port }));
}

async function addressesByLsof(pid: number): Promise<readonly Address[]> {
  const words = ['-nP', '-a', '-p', String(pid), '-iTCP', '-sTCP:LISTEN', '-Fn'];
  const { stdout } = await run('lsof', words).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/^n\[?(.+?)\]?:(\d+)$/gm)].map(([, host = '', port]) => ({
    host: host === '*' ? '0.0.0.0' : host,
    port: Number(port),
  }));
}
