/** A value of a model file's metadata; a plain number is an unsigned integer of 32 bits. */
export type MetadataValue = string | number | { readonly float: number } | readonly string[] | Int32Array;

export interface Tensor {
  readonly name: string;
  /** Rows of this many numbers each; a vector is one row. */
  readonly columns: number;
  readonly data: Float32Array;
}

/** Codes of the format for types of values; a tensor of 32-bit floats has type 0. */
const UINT32 = 4;
const INT32 = 5;
const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;
const TENSOR_OF_FLOATS = 0;
const ALIGNMENT = 32;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

const bytesOf = (numbers: Float32Array | Int32Array): Buffer =>
  Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);

const padding = (length: number): Buffer => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

function encodeValue(value: MetadataValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([uint32(STRING), text(value)]);
  if (typeof value === 'number') return Buffer.concat([uint32(UINT32), uint32(value)]);
  if (value instanceof Int32Array) {
    return Buffer.concat([uint32(ARRAY), uint32(INT32), uint64(value.length), bytesOf(value)]);
  }
  if ('float' in value) return Buffer.concat([uint32(FLOAT32), float32(value.float)]);
  return Buffer.concat([uint32(ARRAY), uint32(STRING), uint64(value.length), ...value.map(text)]);
}

/**
 * The bytes of a model file in the format GGUF, version 3, on a little-endian machine.
 * Source: docs/gguf.md of ggml-org/ggml.
 */
export function encodeGguf(metadata: Readonly<Record<string, MetadataValue>>, tensors: readonly Tensor[]): Buffer {
  const entries = Object.entries(metadata);
  const parts = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(entries.length)];
  for (const [key, value] of entries) parts.push(text(key), encodeValue(value));
  const weights: Buffer[] = [];
  let offset = 0;
  for (const { name, columns, data } of tensors) {
    const rows = data.length / columns;
    const dimensions = rows === 1 ? [columns] : [columns, rows];
    parts.push(text(name), uint32(dimensions.length), ...dimensions.map(uint64));
    parts.push(uint32(TENSOR_OF_FLOATS), uint64(offset));
    const bytes = bytesOf(data);
    const pad = padding(bytes.length);
    weights.push(bytes, pad);
    offset += bytes.length + pad.length;
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, padding(header.length), ...weights]);
}
