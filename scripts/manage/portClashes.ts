import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import type { Config, Problem } from '../../src/config/config.ts';

function lineOfPort(file: string): number | undefined {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const index = lines.findLastIndex((line) => /^\s*(?:export\s+)?(?:CLAUDE_PROXY_)?PORT\s*[=:]/.test(line));
  return index < 0 ? undefined : index + 1;
}

/** A problem for every configuration whose port stands in another one too; the address does not matter, as most share it. */
export function findPortClashes(root: string, configs: readonly Config[]): Problem[] {
  return configs.flatMap((config) => {
    const others = configs.filter((other) => other !== config && other.port === config.port);
    if (others.length === 0) return [];
    const line = lineOfPort(config.file);
    return {
      file: relative(root, config.file),
      ...(line === undefined ? {} : { line }),
      key: 'PORT',
      found: `${config.port}, which is also the port of ${others.map((other) => basename(other.file)).join(' and ')}`,
      fix: 'Give each env file a port of its own.',
      severity: 'error',
    };
  });
}
