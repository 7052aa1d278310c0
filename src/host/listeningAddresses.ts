import { execFile } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { listeningSockets } from './listeningSockets.ts';

const run = promisify(execFile);

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
