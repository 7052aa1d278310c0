import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { quotePosix, terminalSafe } from '../core/text.ts';
import { userName } from '../host/ports.ts';
import { Failure } from './exitCodes.ts';
import { pm2Home, pm2Socket } from './supervisor/pm2.ts';

const REFUSED = ['EACCES', 'EPERM', 'EROFS'];

/** The file that the system has refused to read or write; undefined for any other error. */
function refusedPath(error: unknown): { readonly code: string; readonly path: string } | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return undefined;
  const { code, path } = error;
  return typeof code === 'string' && typeof path === 'string' && REFUSED.includes(code) ? { code, path } : undefined;
}

/**
 * Why a file of the checkout in `root`, or another one, may not be read or written, and what to do about it; undefined for an error
 * of another kind.
 */
export function explainRefusal(error: unknown, root: string): string | undefined {
  const refused = refusedPath(error);
  if (refused === undefined) return undefined;
  const isOfCheckout = `${refused.path}/`.startsWith(`${root}/`);
  if (refused.code === 'EROFS') {
    return isOfCheckout
      ? `${terminalSafe(root)} is read-only (its file system is mounted so), and ./manage keeps env files, logs and state there; clone it to a folder that you may write to`
      : `${terminalSafe(refused.path)} is on a read-only file system`;
  }
  const owner = otherOwner(root);
  if (isOfCheckout && owner !== undefined) {
    return `this checkout (${terminalSafe(root)}) belongs to ${owner}, and you may not write there; clone your own, or work as ${owner}`;
  }
  const path = existingPart(refused.path);
  const holder = otherOwner(path);
  const quoted = quotePosix(path);
  return holder === undefined
    ? `${terminalSafe(path)} is write-protected or not readable; allow it with: chmod u+rwX ${quoted}`
    : `${terminalSafe(path)} belongs to ${holder}, and you may not use it; take it over with: sudo chown -R "$(id -u)" ${quoted}`;
}

/** The path itself, or the nearest folder above it that there is. */
export function existingPart(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existingPart(dirname(path));
}

/** The user to whom a file belongs, when that is another than the present one. */
function otherOwner(path: string): string | undefined {
  const owner = statSync(path, { throwIfNoEntry: false })?.uid;
  return owner === undefined || process.getuid === undefined || owner === process.getuid()
    ? undefined
    : userName(owner);
}

/** How long the address of a socket may be, in bytes. */
const LONGEST_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

/**
 * Before PM2 is asked to change something: it can listen in its folder, and both are the present user's. Root at work in another user's PM2 folder would leave files there that its owner cannot
 * use, and a daemon that another user has started does not obey.
 * @throws Failure when its path is too long for a socket, or the folder or the daemon in it belongs to another user
 */
export function checkPm2Home(environment: Readonly<Record<string, string | undefined>>): void {
  const home = pm2Home(environment);
  const socket = pm2Socket(environment);
  if (process.platform !== 'win32' && Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) {
    throw new Failure(
      `PM2's folder ${terminalSafe(home)} has too long a path for a socket (at most ${LONGEST_SOCKET_PATH} bytes with "/rpc.sock"); name a shorter one in PM2_HOME, in each shell from which you call ./manage`,
    );
  }
  // A folder that is not there yet would be made where it belongs to the one who called sudo.
  const isOfSudo = (path: string) => String(statSync(path).uid) === environment['SUDO_UID'];
  const folder = existsSync(home) ? home : existingPart(home);
  const owner = existsSync(home) || isOfSudo(folder) ? otherOwner(folder) : undefined;
  if (owner !== undefined) {
    throw new Failure(
      `PM2's folder ${terminalSafe(home)} is ${owner}'s, and only ${owner} can manage what runs there; do this as ${owner}, not as ${userName(process.getuid?.() ?? 0)}`,
    );
  }
  const starter = existsSync(socket) ? otherOwner(socket) : undefined;
  if (starter !== undefined) {
    throw new Failure(
      `the PM2 in ${terminalSafe(home)} was started by ${starter}, and does not obey you; end it as ${starter} (PM2_HOME=${quotePosix(home)} ./manage pm2 kill), then: sudo chown -R "$(id -u)" ${quotePosix(home)}`,
    );
  }
}
