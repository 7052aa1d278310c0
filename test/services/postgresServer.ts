import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Certificate } from '../helpers/certificate.ts';
import { freePort } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

/** Where Debian has the programs of the server, which are not in the PATH. */
const DEBIAN = '/usr/lib/postgresql';

function findPrograms(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
}

export const postgresPrograms = findPrograms();
if (postgresPrograms === undefined && process.env['CI'] !== undefined) throw new Error('PostgreSQL is missing');

/** A server refuses to run as root, so that it runs as the user whom Debian's package makes. */
function findUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export const PASSWORD = 'P@ss:w/rd?#1%-of-the-database';

export interface PostgresServer {
  readonly port: number;
  /** With user and password; options of the address may follow. */
  readonly url: string;
  start(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Stops the clock of the server's processes, or lets them go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Runs SQL in its own client, as the administrator. */
  query(sql: string): string;
  close(): Promise<void>;
}

/** A PostgreSQL server on a free port of 127.0.0.1, with its data in a temporary folder and an empty database. */
export async function startPostgres(certificate?: Certificate): Promise<PostgresServer> {
  if (postgresPrograms === undefined) throw new Error('there is no PostgreSQL');
  const programs = postgresPrograms;
  const user = findUser();
  const { path: folder, remove } = temporaryFolder();
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const give = (path: string) => user !== undefined && chownSync(path, user.uid, user.gid);
  for (const path of [folder, data]) give(path);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    give(path);
    return path;
  };
  const environment = { PATH: process.env['PATH'], PGPASSWORD: PASSWORD };
  const options = { cwd: folder, env: environment, ...user };
  const passwordFile = file('password', PASSWORD);
  const words = [
    '-D',
    data,
    '-U',
    'admin',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--no-sync',
    '-E',
    'UTF8',
  ];
  execFileSync(join(programs, 'initdb'), words, { ...options, stdio: 'pipe' });
  const port = await freePort();
  const tls =
    certificate === undefined
      ? []
      : [
          'ssl=on',
          `ssl_cert_file=${file('cert.pem', certificate.cert)}`,
          `ssl_key_file=${file('key.pem', certificate.key)}`,
        ];
  chmodSync(data, 0o700);
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'fsync=off',
    ...tls,
  ];
  let server: ChildProcess | undefined;
  const start = async () => {
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    server = spawn(join(programs, 'postgres'), args, { ...options, stdio: 'ignore' });
    await waitUntil('the server takes queries', async () => {
      try {
        query('SELECT 1', 'postgres');
        return true;
      } catch {
        return false;
      }
    });
  };
  const query = (sql: string, database = 'usage') =>
    execFileSync(
      join(programs, 'psql'),
      ['-h', '127.0.0.1', '-p', String(port), '-U', 'admin', '-d', database, '-Atc', sql],
      {
        ...options,
        encoding: 'utf8',
        stdio: 'pipe',
      },
    ).trim();
  const kill = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL'); // its own processes notice, and end
    await ended;
    await waitUntil('nobody listens', () => isClosed(port));
  };
  await start();
  query('CREATE DATABASE usage', 'postgres');
  return {
    port,
    url: `postgres://admin:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/usage`,
    start,
    kill,
    signal: (signal) => {
      for (const pid of [server?.pid ?? 0, ...childrenOf(server?.pid ?? 0)]) process.kill(pid, signal);
    },
    query,
    close: async () => {
      await kill();
      remove();
    },
  };
}

function childrenOf(pid: number): number[] {
  const text = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return text
    .split('\n')
    .map(Number)
    .filter((child) => child > 0);
}

function isClosed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}
