import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import type { Stage } from './stage.ts';

/** The names in Linux's abstract namespace that a process listens on; any user of the machine can list and call them. */
function namesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const open = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`);
    } catch {
      return ''; // closed meanwhile
    }
  });
  const lines = readFileSync('/proc/net/unix', 'utf8').trim().split('\n').slice(1);
  const sockets = lines
    .map((line) => line.trim().split(/\s+/))
    .map(([, , , , , , inode, name = '']) => ({ inode, name }));
  const names = sockets
    .filter(({ inode, name }) => name.startsWith('@') && open.includes(`socket:[${inode}]`))
    .map(({ name }) => `\0${name.slice(1)}`);
  return [...new Set(names)]; // connections have the name of what they were made to
}

function call(name: string, words: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(name, () => void socket.write(words));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
    socket.setTimeout(1000, () => socket.destroy());
  });
}

/**
 * Calls every local socket of the instance, as a stranger would.
 * @param words what is said there; nothing unless given
 * @returns what they answered
 */
export async function askLocalSockets({ binary }: Stage, words = ''): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  return Promise.all(namesOf(binary.process.pid ?? 0).map((name) => call(name, words)));
}
