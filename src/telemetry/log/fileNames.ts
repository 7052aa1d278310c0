/** What a file in an instance's log folder is; undefined for files that are not ours, which are never touched. */
export type LogFileKind = 'active' | 'rotated' | 'compressed' | 'temporary';

const ROTATED_NAME = /^-\d{8}-\d{6}-\d{3,}\.log(?<suffix>|\.gz|\.gz\.tmp)$/;

/**
 * How the log files of a process begin: with the name of its instance, and its number when it is not the first of several. Such names
 * take the place of the instance's in all that follows.
 */
export function logName(instance: string, worker: number): string {
  return worker === 1 ? instance : `${instance}.${worker}`;
}

/** The log names that stand in an instance's folder; its own is the first. */
export function logNamesIn(fileNames: readonly string[], instance: string): string[] {
  const found = fileNames.flatMap((name) => {
    const number = name.startsWith(`${instance}.`) && /^\d+(?=[.-])/.exec(name.slice(instance.length + 1))?.[0];
    return number ? logName(instance, Number(number)) : [];
  });
  return [...new Set([instance, ...found])].sort();
}

/** The file that is written now: `<instance>.log`. */
export function activeFileName(instance: string): string {
  return `${instance}.log`;
}

/**
 * The name of a rotated file, which sorts by time: `<instance>-20261120-085400-001.log` (UTC, then a number within the second).
 * Once compressed it has `.gz` at the end, and while being compressed `.gz.tmp`.
 */
export function rotatedFileName(instance: string, at: number, index: number): string {
  const stamp = new Date(at).toISOString().replace(/[-:]|\..*/g, '');
  return `${instance}-${stamp.replace('T', '-')}-${String(index).padStart(3, '0')}.log`;
}

export function logFileKind(instance: string, name: string): LogFileKind | undefined {
  if (name === activeFileName(instance)) return 'active';
  if (!name.startsWith(`${instance}-`)) return undefined;
  switch (ROTATED_NAME.exec(name.slice(instance.length))?.groups?.['suffix']) {
    case '':
      return 'rotated';
    case '.gz':
      return 'compressed';
    case '.gz.tmp':
      return 'temporary';
    default:
      return undefined;
  }
}
