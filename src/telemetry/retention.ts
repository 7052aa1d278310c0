/** A file of ours in the log folder. */
export interface LogFileInfo {
  name: string;
  size: number;
  /** When it was last written, in milliseconds since 1970. */
  modifiedAt: number;
}

export interface RetentionLimits {
  now: number;
  retentionMs: number;
  /** For all files of ours together, the active one included. */
  maxTotalBytes: number;
  /** Name of the active file, which is never removed. */
  active: string;
  /** How large the active file may still become before files are looked at again: room kept free for it. */
  activeMaxBytes: number;
}

/**
 * Names of the files to remove: those at least as old as the retention, then the oldest until the rest fits under the total
 * (G3). The active file counts with the size that it may reach, so that the total also holds between two sweeps.
 */
export function planRemovals(files: readonly LogFileInfo[], limits: RetentionLimits): string[] {
  const removals: string[] = [];
  const kept: LogFileInfo[] = [];
  let total = limits.activeMaxBytes;
  for (const file of files) {
    if (file.name === limits.active) total += Math.max(0, file.size - limits.activeMaxBytes);
    else if (limits.now - file.modifiedAt >= limits.retentionMs) removals.push(file.name);
    else {
      kept.push(file);
      total += file.size;
    }
  }
  kept.sort((a, b) => a.modifiedAt - b.modifiedAt || (a.name < b.name ? -1 : 1));
  for (const file of kept) {
    if (total <= limits.maxTotalBytes) break;
    removals.push(file.name);
    total -= file.size;
  }
  return removals;
}

const CLOCK_TOLERANCE_MS = 3_600_000;

/**
 * Names of the files whose time lies in the future: written while the clock was wrong. Their age counts from now on, else
 * they would be kept until the clock has caught up with them (G4).
 */
export function planRedating(files: readonly LogFileInfo[], now: number): string[] {
  return files.filter((file) => file.modifiedAt > now + CLOCK_TOLERANCE_MS).map((file) => file.name);
}
