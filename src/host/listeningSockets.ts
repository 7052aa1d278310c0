import { readFile } from 'node:fs/promises';

/** A socket on which somebody waits for connections, as Linux lists it. */
export interface ListeningSocket {
  readonly host: string;
  readonly port: number;
  /** What a descriptor of its process points at: `socket:[INODE]`. */
  readonly link: string;
}

const LISTENING = '0A';

/** The kernel writes an address as words of four bytes, each in the machine's order, which is little-endian wherever Node runs. */
function readHost(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse()).map((byte) => Number.parseInt(byte, 16));
  if (bytes.length === 4) return bytes.join('.');
  const groups = bytes.flatMap((byte, index) => (index % 2 === 0 ? [(byte << 8) | (bytes[index + 1] ?? 0)] : []));
  return groups.every((group) => group === 0) ? '::' : groups.map((group) => group.toString(16)).join(':');
}

/** Reads a table of the kernel, `/proc/net/tcp` or `tcp6`. */
export function parseSocketTable(text: string): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const [host, port] = local?.split(':') ?? [];
      if (state !== LISTENING || host === undefined || port === undefined) return [];
      return [{ host: readHost(host), port: Number.parseInt(port, 16), link: `socket:[${inode}]` }];
    });
}

/** All listening TCP sockets of this machine; Linux only. */
export async function listeningSockets(): Promise<ListeningSocket[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFile(table, 'utf8').catch(() => '')),
  );
  return tables.flatMap(parseSocketTable);
}
