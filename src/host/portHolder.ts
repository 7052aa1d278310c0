import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { listeningSockets } from './listeningSockets.ts';

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
