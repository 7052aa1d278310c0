import { crc32, deflateSync } from 'node:zlib';

const SIDE = 64;
const RED = [0xff, 0, 0] as const;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_PER_CHANNEL = 8;
const COLOUR_TYPE_RGB = 2;

/** One chunk of a PNG: length, type, data, checksum. */
function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, checksum]);
}

/** A red square as a PNG, large enough for providers that refuse very small images; base64. */
export function redSquare(): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([BITS_PER_CHANNEL, COLOUR_TYPE_RGB], 8);
  const row = [0, ...Array.from({ length: SIDE }, () => RED).flat()];
  const pixels = Buffer.from(Array.from({ length: SIDE }, () => row).flat());
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]).toString('base64');
}
