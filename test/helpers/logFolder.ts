import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { openRotatingLog, type RotatingLog, type RotatingLogOptions } from '../../src/telemetry/log/rotatingLog.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A wall clock that runs on from wherever the test sets it; the monotonic one never jumps. */
export class JumpingClock {
  offset = 0;

  now(): number {
    return Date.now() + this.offset;
  }

  monotonic(): number {
    return performance.now();
  }
}

/** A new folder that is removed when the test ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log of the instance `kimi` with everyday settings; closed when the test ends. */
export function openTestLog(options: Partial<RotatingLogOptions> & { directory: string }): RotatingLog {
  const log = openRotatingLog({
    instance: 'kimi',
    worker: 1,
    maxSizeBytes: 1_000_000,
    retentionMs: 3 * DAY,
    maxTotalBytes: 100_000_000,
    clock: new JumpingClock(),
    ...options,
  });
  onTestFinished(() => log.close());
  return log;
}

/** All lines of an instance's files in the order of their writing: rotated files by name, then the active one. */
export function readLines(folder: string, instance = 'kimi'): string[] {
  const active = `${instance}.log`;
  const rotated = listFolder(folder).filter((name) => name.startsWith(`${instance}-`));
  const texts = [...rotated, active]
    .filter((name) => listFolder(folder).includes(name))
    .map((name) => readText(join(folder, name)));
  return texts.join('').split('\n').slice(0, -1);
}

export function readText(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

export function listFolder(folder: string): string[] {
  return readdirSync(folder).sort();
}

/** A file that is compressed or removed between being listed and being measured counts as nothing. */
export function totalSize(folder: string): number {
  const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return listFolder(folder).reduce((sum, name) => sum + sizeOf(name), 0);
}

/** Files below a folder that this process holds open, deleted ones too; none where the system does not say. */
export function openFilesIn(folder: string): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Resolves when the condition holds; rejects after 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether this machine lets the tests mount a file system of their own (root in most containers). */
export const canMount = tryMount();

/** A file system of its own, of the given size, unmounted when the test ends; options of its kind may follow the size, after commas. */
export function mountFolder(size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function remount(folder: string, mode: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${mode}`, folder]);
}

function tryMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
