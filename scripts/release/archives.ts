import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';

/** A file of an archive. */
export interface ArchiveEntry {
  /** With `/` between folders. */
  readonly name: string;
  readonly content: Buffer;
  readonly isExecutable: boolean;
}

/** The files of a folder, those of folders in it too, in the order of their names. */
export async function readEntries(folder: string): Promise<ArchiveEntry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    paths.sort().map(async (path) => ({
      name: path.slice(folder.length + 1).replaceAll('\\', '/'),
      content: await readFile(path),
      isExecutable: ((await stat(path)).mode & 0o100) !== 0,
    })),
  );
}

const BLOCK = 512;

/** The header of a file in a tar archive (POSIX.1-1988, ustar). */
function tarHeader({ name, content, isExecutable }: ArchiveEntry, seconds: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long a name for this archive.`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  header.write(name, 0);
  octal(isExecutable ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8); // root, as everywhere: unpacked by others, the files are theirs
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(seconds, 136, 12);
  header.write(' '.repeat(8), 148); // the sum counts itself as blanks
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Makes a tar archive, compressed by zstd. Nothing but the entries and the time goes into it. */
export function tarZst(entries: readonly ArchiveEntry[], time: Date): Buffer {
  const seconds = Math.floor(time.getTime() / 1000);
  const blocks = entries.flatMap((entry) => {
    const rest = (BLOCK - (entry.content.length % BLOCK)) % BLOCK;
    return [tarHeader(entry, seconds), entry.content, Buffer.alloc(rest)];
  });
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants;
  // The levels above take ten times as long for a tenth less.
  const params = { [ZSTD_c_compressionLevel]: 9, [ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { params });
}

/** A time as MS-DOS wrote it, in UTC: [time, date]. */
function dosTime(time: Date): readonly [number, number] {
  const year = Math.max(time.getUTCFullYear(), 1980);
  return [
    (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1),
    ((year - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(),
  ];
}

/** Makes a zip archive (PKWARE's APPNOTE 6.3, without its later parts). Nothing but the entries and the time goes into it. */
export function zip(entries: readonly ArchiveEntry[], time: Date): Buffer {
  const [dosHours, dosDate] = dosTime(time);
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, isExecutable } of entries) {
    const bytes = Buffer.from(name);
    const packed = deflateRawSync(content, { level: 9 });
    // Both headers have these: version 2.0, names in UTF-8, deflated, time, sum, sizes, length of the name, no further fields.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(dosHours, 6);
    common.writeUInt16LE(dosDate, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(bytes.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((isExecutable ? 0o100755 : 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    const local = [Buffer.from('PK\x03\x04', 'latin1'), common, bytes, packed];
    parts.push(...local);
    // 3 is Unix, whose permissions follow.
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, bytes);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}

/** The line of a file in SHA256SUMS, as `sha256sum --check` reads it. */
export async function sumLine(path: string, name: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `${hash.digest('hex')}  ${name}\n`;
}
