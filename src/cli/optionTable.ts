import { usageGroupings } from '../telemetry/usage/totals.ts';
import { shellNames } from './claude/shells.ts';

/** The options of the command line as data; which command has which stands in commandTable.ts. */

export interface OptionRow {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  /** Name of the value in the help text. */
  readonly value?: string;
  /** The only values that there are. */
  readonly choices?: readonly string[];
  readonly summary: string;
}

export const optionTable = {
  json: { type: 'boolean', summary: 'print JSON with a "schema" number that changes when the form does' },
  quiet: { type: 'boolean', short: 'q', summary: 'say nothing but what went wrong' },
  'no-color': { type: 'boolean', summary: 'no colours (also: NO_COLOR=1, or when not on a terminal)' },
  follow: { type: 'boolean', short: 'f', summary: 'go on with what is written from now on, until Ctrl-C' },
  lines: {
    type: 'string',
    short: 'n',
    value: 'N',
    summary: 'how many lines from the end (default 20; with --since all)',
  },
  since: { type: 'string', value: 'WHEN', summary: 'from then on: 30m, 2h, 1d ago, or 2026-11-20T09:00' },
  errors: { type: 'boolean', summary: 'only failed requests, warnings and errors' },
  instances: { type: 'string', value: 'N', summary: 'so many processes on the instance’s one port (Linux)' },
  force: { type: 'boolean', summary: 'also when nothing has changed' },
  once: { type: 'boolean', summary: 'print the figures once, as into a pipe' },
  fix: { type: 'boolean', summary: 'mend what can be mended without risk' },
  online: { type: 'boolean', summary: 'ask the providers too: address, clock, and the key with one tiny request' },
  full: { type: 'boolean', summary: 'also tools, images, reasoning, caching, stop sequences, JSON and overflow' },
  timeout: { type: 'string', value: 'SECONDS', summary: 'how long one check may take (default 60)' },
  'key-stdin': { type: 'boolean', summary: 'read the provider’s key from stdin, for an instance that has none' },
  days: { type: 'string', value: 'N', summary: 'of the last N days, today included (default 30)' },
  by: {
    type: 'string',
    value: 'WHAT',
    choices: usageGroupings,
    summary: 'sum up by day (default), model, instance or session',
  },
  csv: { type: 'boolean', summary: 'print CSV, for a spreadsheet' },
  as: { type: 'string', value: 'NAME', summary: 'name of the new instance (default: the provider’s)' },
  port: { type: 'string', value: 'PORT', summary: 'port of the new instance (default: a free one)' },
  region: { type: 'string', value: 'REGION', summary: 'region of the provider, where it has several' },
  url: { type: 'string', value: 'URL', summary: 'address of the provider, where it has none of its own' },
  model: { type: 'string', value: 'MODEL', summary: 'model for everything, where the provider has none of its own' },
  stdin: { type: 'boolean', summary: 'read the provider’s key from stdin' },
  yes: { type: 'boolean', short: 'y', summary: 'do it without asking' },
  'no-input': { type: 'boolean', summary: 'never ask; what would have to be asked is an error or left out' },
  'dry-run': { type: 'boolean', summary: 'only show what would be done' },
  shell: {
    type: 'string',
    value: 'SHELL',
    choices: shellNames,
    summary: 'whose language to print (default: by SHELL)',
  },
  project: { type: 'boolean', summary: 'in the project where you are, the only place that is ever written to' },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
  version: { type: 'boolean', summary: 'print the version' },
} as const satisfies Record<string, OptionRow>;

export type OptionName = keyof typeof optionTable;
