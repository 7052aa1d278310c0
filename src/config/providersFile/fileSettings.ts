import type { Choices } from '../chooseValues.ts';
import type { Config } from '../config.ts';
import type { Values } from '../schema.ts';
import type { ProvidersFile } from './readProvidersFile.ts';

/** Pause between health checks where there is a providers file that says nothing of them, in ms. */
const HEALTH_CHECK_MS = 300_000;

/** What the file says of all its providers together; a key that the env file has goes before it. */
export function fileSettings(
  { file, values: written }: Pick<ProvidersFile, 'file' | 'values'>,
  values: Values,
  choices: Choices,
): Pick<Config, 'strategy' | 'breaker' | 'healthCheck'> {
  const { failure_threshold: failures, recovery_timeout: openMs } = written.circuit_breaker ?? {};
  return {
    strategy: written.fallback_strategy ?? 'priority',
    breaker: {
      failures: choices.has('BREAKER_FAILURES') ? values.BREAKER_FAILURES : (failures ?? values.BREAKER_FAILURES),
      windowMs: values.BREAKER_WINDOW,
      openMs: choices.has('BREAKER_SECONDS') ? values.BREAKER_SECONDS : (openMs ?? values.BREAKER_SECONDS),
    },
    healthCheck: {
      intervalMs: written.health_check_interval ?? (file === undefined ? 0 : HEALTH_CHECK_MS),
      ask: written.health_check ?? 'models',
    },
  };
}
