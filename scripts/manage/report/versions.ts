import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asString, parseObject } from '../../../src/core/json.ts';
import { executablePath } from '../../build/stamp.ts';
import { pm2Command } from '../pm2.ts';
import { printedBy } from './printedBy.ts';

/** The versions of what works together here; text in brackets where one cannot be told. */
export interface Versions {
  readonly manager: string;
  readonly executable: string;
  readonly node: string;
  readonly pm2: string;
}

function versionIn(file: string): string | undefined {
  try {
    return asString(parseObject(readFileSync(file, 'utf8'))?.['version']);
  } catch {
    return undefined;
  }
}

/** Asks files and programs of this machine, nobody else. */
export async function readVersions(root: string): Promise<Versions> {
  const [, pm2] = pm2Command(root);
  return {
    manager: versionIn(join(root, 'package.json')) ?? '(unknown)',
    executable: (await printedBy(executablePath(root), ['--version'])) ?? '(not built; npm run build)',
    node: process.versions.node,
    pm2: (pm2 === undefined ? undefined : versionIn(join(root, 'node_modules', 'pm2', 'package.json'))) ?? '(on PATH)',
  };
}
