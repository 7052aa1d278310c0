import { choice, describePostgres, duration, integer, logLevel, postgresAddress, size, text } from '../parsers.ts';
import { setting } from './setting.ts';

/** The settings of what an instance writes about its work: logs, usage, metrics and traces. A part of the table of all settings. */
export const telemetrySettings = {
  LOG_LEVEL: setting(logLevel, {
    fallback: 'info',
    about: 'How much is logged: debug, info, warn or error. Bodies and keys never are.',
    aliases: ['CLAUDE_PROXY_LOG_LEVEL'],
    field: 'logs.level',
  }),
  LOG_DIR: setting(text, {
    fallback: 'logs',
    about:
      'Folder of the logs, in which each instance has one of its own; relative to the folder in which it is started (under PM2 the project).',
    field: 'logs.directory',
    isFolder: true,
    needsRestart: true,
  }),
  STATE_DIR: setting(text, {
    fallback: 'state',
    about:
      'Folder of what instances have learned, such as token counts per model, and of their usage; relative to the folder in which it is started (under PM2 the project). Losing it loses accuracy and statistics only.',
    field: 'stateDirectory',
    isFolder: true,
    needsRestart: true,
    shown: { line: 'state' },
  }),
  USAGE_RETENTION_DAYS: setting(integer(0, 36_500), {
    fallback: '400',
    about: 'How many days the usage of each request is kept for `./manage usage`; 0 keeps it for ever. Never text.',
    field: 'usageRetentionDays',
    needsRestart: true,
    shown: { line: 'usage', words: (days) => `kept ${days === 0 ? 'for ever' : `${days} days`}` },
  }),
  USAGE_PROJECTS: setting(choice('hash', 'names', 'off'), {
    fallback: 'hash',
    about:
      'How the folder that Claude Code works in is kept for `./manage usage --by project`: as a short hash, by its name, or not at all. A hash hides the name from who reads the file, not from who guesses it.',
    field: 'usageProjects',
    shown: { line: 'projects' },
  }),
  USAGE_POSTGRES_URL: setting(postgresAddress, {
    about:
      'PostgreSQL database that gets a copy of the usage of each request, from all instances that name it (docs/OBSERVABILITY.md), as postgres://USER:PASSWORD@HOST:5432/DATABASE. Beyond this machine by TLS with a certificate that is checked; ?sslmode=require does not check it, ?sslmode=disable goes without.',
    secret: true,
    field: 'usageDatabase',
    needsRestart: true,
    shown: { line: 'usage database', words: describePostgres },
  }),
  LOG_MAX_SIZE: setting(size(4096), {
    fallback: '20M',
    about: 'Size at which a log file is rotated; it is rotated daily in any case.',
    field: 'logs.maxSizeBytes',
    needsRestart: true,
  }),
  LOG_RETENTION_DAYS: setting(duration('days', 0.001, 3650), {
    fallback: '3',
    about: 'Age at which a log file is deleted, in days.',
    field: 'logs.retentionMs',
    needsRestart: true,
  }),
  LOG_MAX_TOTAL: setting(size(4096), {
    fallback: '200M',
    about: 'Most that the logs of an instance may take together; the oldest are deleted first.',
    field: 'logs.maxTotalBytes',
    needsRestart: true,
  }),
} as const;
