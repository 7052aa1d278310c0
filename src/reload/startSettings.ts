import type { Config } from '../config/config.ts';

/** What the process takes once, when it starts, by the names under which users write it. */
const START_SETTINGS: Readonly<Record<string, (config: Config) => unknown>> = {
  HOST: ({ host }) => host,
  PORT: ({ port }) => port,
  MAX_BODY_BYTES: ({ limits }) => limits.maxBodyBytes,
  LOG_DIR: ({ logs }) => logs.directory,
  LOG_MAX_SIZE: ({ logs }) => logs.maxSizeBytes,
  LOG_MAX_TOTAL: ({ logs }) => logs.maxTotalBytes,
  LOG_RETENTION_DAYS: ({ logs }) => logs.retentionMs,
  STATE_DIR: ({ stateDirectory }) => stateDirectory,
  USAGE_RETENTION_DAYS: ({ usageRetentionDays }) => usageRetentionDays,
  PERMISSION_MODEL: ({ permissionModel }) => permissionModel,
  // The process manager was told at the start how long to wait.
  DRAIN_SECONDS: ({ drainMs }) => drainMs,
};

/** The names of the settings that hold only after a restart. */
export function changedStartSettings(started: Config, wanted: Config): readonly string[] {
  return Object.entries(START_SETTINGS)
    .filter(([, read]) => read(started) !== read(wanted))
    .map(([name]) => name);
}

/** The wanted configuration as far as it can hold without a restart. Its hash stays that of the wanted one. */
export function withStartSettings(started: Config, wanted: Config): Config {
  const { host, port, limits, logs, stateDirectory, usageRetentionDays, permissionModel, drainMs } = started;
  return {
    ...wanted,
    host,
    port,
    limits: { ...wanted.limits, maxBodyBytes: limits.maxBodyBytes },
    logs: { ...logs, level: wanted.logs.level },
    stateDirectory,
    usageRetentionDays,
    permissionModel,
    drainMs,
  };
}
