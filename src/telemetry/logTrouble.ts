/** Something about the log itself that the operator should know. */
export interface LogTrouble {
  /**
   * failing: lines are being dropped. recovered: logging is back. shared: another process writes the same file.
   * upkeep: old files cannot be removed or compressed.
   */
  kind: 'failing' | 'recovered' | 'shared' | 'upkeep';
  /** One sentence for a person. */
  message: string;
}

/** A short account of a file system error: its code and text, at most 200 characters, no stack. */
export function describeError(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}

/** A stretch of time in which lines were lost. */
export interface LogOutage {
  since: number;
  dropped: number;
}

export function describeOutage({ since, dropped }: LogOutage): string {
  return `logging is back; ${dropped} lines were dropped since ${new Date(since).toISOString()}`;
}

/** The line in the log that tells of a gap in it. */
export function recoveryLine(instance: string, now: number, outage: LogOutage): string {
  return JSON.stringify({
    time: new Date(now).toISOString(),
    level: 'warn',
    event: 'log_recovered',
    instance,
    message: describeOutage(outage),
    dropped: outage.dropped,
    since: new Date(outage.since).toISOString(),
  });
}
