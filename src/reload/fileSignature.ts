import { stat } from 'node:fs/promises';

/**
 * What tells one state of a file from another without reading it; `-` when there is none or it cannot be looked at. Links are
 * followed, so that one that is turned to another file counts as a change.
 */
export async function fileSignature(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return '-';
  }
}
