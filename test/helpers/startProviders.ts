import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CircuitBreakerOptions } from '../../src/resilience/circuitBreaker.ts';
import { type Settings, startApp, type TestApp } from './startApp.ts';
import { temporaryFolder } from './temporaryFolder.ts';

export interface ProvidersFile extends Record<string, unknown> {
  readonly providers: readonly Record<string, unknown>[];
}

/** A provider of the file with one model per tier, all of this name. */
export function provider(name: string, url: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, preset: 'custom', base_url: url, api_key: `key-of-${name}-0001`, models: { big: [name] }, ...fields };
}

/** An instance with a providers file and nothing else. */
export async function startProviders(
  file: ProvidersFile,
  settings: Settings = {},
  breaker?: CircuitBreakerOptions,
): Promise<TestApp> {
  const { path, remove } = temporaryFolder();
  const name = join(path, 'providers.json');
  writeFileSync(name, JSON.stringify(file), { mode: 0o600 });
  try {
    return await startApp({ PROVIDERS_FILE: name, ...settings }, breaker);
  } finally {
    remove();
  }
}
