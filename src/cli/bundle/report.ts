import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { describeConfig } from '../../config/describe.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { asNumber, asString, isObject, type Json, type JsonObject, parseObject } from '../../core/json.ts';
import { executablePath } from '../../host/workers.ts';
import { findClaude } from '../claude/runClaude.ts';
import { type Context, callerDirectory } from '../command.ts';
import { doctorJson, runChecks } from '../doctor/doctor.ts';
import { byTime, lastEntries } from '../logs/logEntries.ts';
import { openLogs } from '../logs/logFiles.ts';
import { type Inspection, inspect, listAll } from '../supervisor/inspect.ts';
import { selectInstances } from '../supervisor/instances.ts';
import { pm2Command } from '../supervisor/pm2.ts';
import { deriveState, diagnosisLine } from '../supervisor/state.ts';
import { formatBytes } from '../terminal/output.ts';
import { createReportRedactor, mapTexts } from './redact.ts';

const SCHEMA = 1;

/** All that helps to look into a fault from afar, without secrets, texts of a conversation, and names of this person and machine. */
export async function collectReport(context: Context, names: readonly string[], written: Date): Promise<JsonObject> {
  const { root, environment } = context;
  const { rows, instances } = await listAll(context);
  const inspections = await inspect(rows, selectInstances(root, instances, names));
  const [system, doctor, ...described] = await Promise.all([
    describeSystem(root, environment, callerDirectory(environment)),
    runDoctor(context, names),
    ...inspections.map((inspection) => describeInstance(root, inspection)),
  ]);
  const whole: JsonObject = {
    schema: SCHEMA,
    written_at: written.toISOString(),
    system,
    instances: described,
    doctor,
  };
  const own = new Set(instances.map(({ name }) => name));
  const others = rows.filter(({ name }) => !own.has(name)).map(({ name }) => name);
  const words = [...inspections.flatMap(wordsOfProviders), ...others];
  return mapTexts(whole, createReportRedactor(root, environment, instances, words));
}

const MAX_ERRORS = 20;

/** Fields of a request's line that hold numbers and names. Its `error_message` quotes the provider, who may quote the user. */
const REQUEST_FIELDS = [
  'time',
  'endpoint',
  'tier',
  'model',
  'upstream_model',
  'provider',
  'stream',
  'status',
  'outcome',
  'error_type',
  'input_tokens',
  'output_tokens',
  'first_event_ms',
  'duration_ms',
  'attempts',
  'client_version',
  'request_bytes',
  'notes',
];

function pick(record: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.flatMap((field): [string, Json][] => {
      const value = record[field];
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

/** Where in our code it happened; the first line of a stack says what, and may quote what it failed on. */
function framesOf(reason: string | undefined): JsonObject {
  const frames = reason?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return frames.length === 0 ? {} : { frames: frames.map((line) => line.trim()) };
}

function describeError(record: JsonObject): JsonObject {
  if (record['event'] === 'request') return pick(record, REQUEST_FIELDS);
  // The words of such a line are our own; what stands in its other fields is not always.
  const status = asNumber(record['status']);
  return {
    ...pick(record, ['time', 'level', 'message']),
    ...(status === undefined ? {} : { status }),
    ...framesOf(asString(record['reason'])),
  };
}

/** The last errors of an instance's log by their kind, without any text of a client or a provider. */
export async function readLastErrors(logDirectory: string, instance: string): Promise<JsonObject[]> {
  const logs = await openLogs(join(logDirectory, instance), instance);
  try {
    const filter = { errorsOnly: true, since: undefined };
    const entries = (await Promise.all(logs.map((log) => lastEntries(log, MAX_ERRORS, filter)))).flat().sort(byTime);
    return entries.slice(-MAX_ERRORS).flatMap(({ record }) => (record === undefined ? [] : [describeError(record)]));
  } finally {
    await Promise.all(logs.map((log) => log.active?.close()));
  }
}

/** What providers said, as far as an instance reports it. */
function wordsOfProviders({ answer, workers }: Inspection): string[] {
  const reports = [
    ...(answer?.kind === 'instance' ? [answer.health] : []),
    ...workers.flatMap(({ health }) => health ?? []),
  ];
  return reports.flatMap(({ last_error: lastError, providers = [] }) => [
    lastError?.message ?? '',
    ...providers.flatMap(({ keys = [] }) => keys.map(({ reason }) => reason ?? '')),
  ]);
}

/** The health report, without the words of a last error or of a refused key, which may be a provider's. */
function describeHealth({ answer }: Inspection): JsonObject | null {
  if (answer?.kind !== 'instance') return null;
  const { last_error: lastError, providers = [], ...health } = answer.health;
  const { message: _message, ...error } = lastError ?? {};
  const silent = providers.map(({ keys = [], ...provider }) => ({
    ...provider,
    keys: keys.map(({ reason: _reason, ...key }) => key),
  }));
  return { ...health, providers: silent, last_error: lastError == null ? null : error } as unknown as JsonObject;
}

/** All that a report says about an instance. */
export async function describeInstance(root: string, inspection: Inspection): Promise<JsonObject> {
  const { instance, row: pm2 } = inspection;
  const { name, config, problems } = instance;
  const state = deriveState(inspection);
  return {
    name,
    state,
    remark: (await diagnosisLine(inspection, state)) ?? null,
    problems: problems.length === 0 ? [] : formatProblems(problems).split('\n'),
    configuration: config === undefined ? [] : [...describeConfig(config)],
    pm2:
      pm2 === undefined
        ? null
        : {
            id: pm2.id,
            status: pm2.status,
            pid: pm2.pid,
            restarts: pm2.restarts,
            exit_code: pm2.exitCode ?? null,
            executable: pm2.executable,
          },
    health: describeHealth(inspection),
    last_errors: await readLastErrors(config?.logs.directory ?? join(root, 'logs'), name),
  };
}

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 10_000_000;

/**
 * What a program prints to stdout, without line ends around it, whatever its exit status; undefined when it cannot be run or
 * takes too long.
 */
export function printedBy(program: string, words: readonly string[], directory?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES, cwd: directory };
    const child = execFile(program, words, options, (error, stdout) => {
      const hasEnded = error === null || typeof error.code === 'number';
      resolve(hasEnded ? stdout.trim() : undefined);
    });
    child.stdin?.end();
  });
}

/** The versions of what works together here; text in brackets where one is unknown. */
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
    return (await printedBy(findClaude(environment, directory), ['--version'])) ?? null;
  } catch {
    return null;
  }
}

/** What `./manage doctor` finds, which asks nobody over the network; its own failure is a finding, too. */
export async function runDoctor(context: Context, names: readonly string[]): Promise<Json> {
  try {
    return parseObject(doctorJson(await runChecks(context, names, false), []))?.['findings'] ?? null;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A report for people: one block for each of its parts, a line for each value. */
export function reportText(report: JsonObject): string {
  const entries = Object.entries(report);
  const head = Object.fromEntries(entries.filter(([, value]) => !isPart(value)));
  const parts = entries
    .filter(([, value]) => isPart(value))
    .flatMap(([title, value = null]) => blocksOf(value).map((block): [string, Json] => [title, block]));
  return [['report', head] as const, ...parts]
    .map(([title, block]) => `${[`== ${title}`, ...valueLines(block, '')].join('\n')}\n`)
    .join('\n');
}

/** A block of its own for each, where the items have parts; else one block with a line for each. */
function blocksOf(value: Json): Json[] {
  const isDeep = Array.isArray(value) && value.some((item) => isObject(item) && Object.values(item).some(isPart));
  return isDeep ? value : [value];
}

const isPart = (value: Json | undefined) => typeof value === 'object' && value !== null;

function valueLines(value: Json, indentation: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => `${indentation}${typeof item === 'string' ? item : JSON.stringify(item)}`);
  }
  if (!isObject(value)) return [`${indentation}${typeof value === 'string' ? value : JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, inner = null]) => {
    const isLong = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0;
    const short = typeof inner === 'string' ? inner : JSON.stringify(inner);
    return isLong
      ? [`${indentation}${key}:`, ...valueLines(inner, `${indentation}  `)]
      : [`${indentation}${key}: ${short}`];
  });
}
