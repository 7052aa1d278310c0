import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { SoakInstance } from './processes/soakInstance.ts';

const FATAL = /"event":"(?:unhandledRejection|uncaughtException)"|failed inside the proxy/g;

/** Rotated files that are left, and how often the instance reported a fault of its own, in its log or on its output. */
export function readLogs({ folder }: SoakInstance): { readonly rotated: number; readonly faults: number } {
  const logs = join(folder, 'logs/soak');
  const names = existsSync(logs) ? readdirSync(logs) : [];
  const texts = names.map((name) => {
    const bytes = readFileSync(join(logs, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  });
  const output = readFileSync(join(folder, 'output.log'), 'utf8');
  return {
    rotated: names.filter((name) => name.endsWith('.gz')).length,
    faults: [...texts, output].join('\n').match(FATAL)?.length ?? 0,
  };
}
