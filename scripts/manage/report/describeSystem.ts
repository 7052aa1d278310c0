import { cpus, release, totalmem } from 'node:os';
import type { JsonObject } from '../../../src/core/json.ts';
import { findClient } from '../client/findClient.ts';
import { formatBytes } from '../formatBytes.ts';
import { printedBy } from './printedBy.ts';
import { readVersions } from './versions.ts';

/** The machine and the versions of what works together on it. */
export async function describeSystem(
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<JsonObject> {
  const [versions, client] = await Promise.all([readVersions(root), clientVersion(environment, directory)]);
  return {
    ...versions,
    claude: client,
    platform: `${process.platform} ${process.arch}, ${release()}`,
    processors: cpus().length,
    memory: formatBytes(totalmem()),
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    shell: environment['SHELL'] ?? null,
  };
}

async function clientVersion(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Promise<string | null> {
  try {
    return (await printedBy(findClient(environment, directory), ['--version'])) ?? null;
  } catch {
    return null;
  }
}
