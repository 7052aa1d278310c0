import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { readCommand } from '../../../../src/host/ports.ts';
import { executablePath } from '../../../build/stamp.ts';
import { runsExecutable } from '../../processes.ts';
import { type Finding, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const run = promisify(execFile);

/** Processes of this project's executable that neither PM2 nor a port knows: of an env file that had another port or name. */
export async function findStrays({ root, pm2, observations, all }: Subject): Promise<Finding[]> {
  if (pm2 instanceof Error || observations.length < all.length) return []; // not everybody was asked
  const answering = observations.flatMap(({ parts }) => parts.flatMap(({ health }) => health?.pid ?? []));
  const known = new Set([...pm2.map(({ pid }) => pid), ...answering]);
  const found = await Promise.all((await listProcesses()).filter((pid) => !known.has(pid)).map(describe));
  const executable = executablePath(root);
  return found.flatMap(({ pid, command }) => {
    const at = command.indexOf('--env');
    if (!runsExecutable(command, executable) || at < 0) return [];
    const file = basename(command[at + 1] ?? '');
    return [
      warn('processes', `pid ${pid} runs with ${file}, unknown to PM2 and to any port`, { remedy: `kill ${pid}` }),
    ];
  });
}

async function describe(pid: number) {
  return { pid, command: (await readCommand(pid)) ?? [] };
}

async function listProcesses(): Promise<number[]> {
  if (process.platform === 'linux') return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const { stdout } = await run('ps', ['-axo', 'pid=']).catch(() => ({ stdout: '' }));
  return stdout.trim().split(/\s+/).map(Number);
}
