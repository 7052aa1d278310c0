/** A folder that every machine has and in which nothing is secret. On Linux it tells which sockets there are (src/host/). */
export const POOR_FOLDER = process.platform === 'linux' ? '/proc/net' : '/var/empty';

/**
 * Leaves the folder in which the process was started. Node 26.10 lets each thread read the folder in which its process is: it allows
 * the script with which a thread begins, and that of the hooks' thread has no path, so that the folder is taken for it. Nothing
 * happens in a process that has all rights.
 */
export function leaveFolder(): void {
  if (process.permission !== undefined) process.chdir(POOR_FOLDER);
}
