import { readdirSync, readFileSync } from 'node:fs';

const KIB_PER_MIB = 1024;

/** Memory in use, in MiB. */
export function residentMib(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) / KIB_PER_MIB;
}

/** Open descriptors: files, sockets and all else. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
