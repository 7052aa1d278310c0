import { createConnection } from 'node:net';
import * as z from 'zod/mini';
import { clientAddress, reachableHost } from '../../config/config.ts';
import type { HealthReport, ProviderHealth } from '../../core/healthReport.ts';
import { parseObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';

/** A value of another process: each field of an object may be missing, or unknown because it had the wrong type. */
export type Unsure<T> = T extends readonly (infer E)[]
  ? readonly Unsure<E>[]
  : T extends object
    ? { readonly [K in keyof T]?: Unsure<T[K]> | undefined }
    : T;

/**
 * What an instance reports of itself at `GET /health`, as far as this manager understands it. The instance may be of an older
 * build, which lacks fields, or of a newer one: what is missing or has the wrong type is undefined.
 */
export type Health = Pick<HealthReport, 'service' | 'instance' | 'pid' | 'state'> & Unsure<HealthReport>;

/** Longer texts are cut; none that an instance reports comes near it. */
const MAX_TEXT = 2000;

const text = z.pipe(
  z.string(),
  z.transform((value) => terminalSafe(value.slice(0, MAX_TEXT))),
);
const number = z.number();
const processId = z.int().check(z.positive());
const flag = z.boolean();
const circuit = z.enum(['closed', 'open', 'half-open']);

function orUnknown<T extends z.core.SomeType>(type: T) {
  return z.catch(z.optional(type), undefined);
}

/** An object whose fields are known each by itself. */
function fields<T extends Record<string, z.core.SomeType>>(shape: T) {
  const types = Object.entries(shape).map(([name, type]) => [name, orUnknown(type)]);
  return z.object(Object.fromEntries(types) as { [K in keyof T]: ReturnType<typeof orUnknown<T[K]>> });
}

const perTier = <T extends z.core.SomeType>(type: T) => fields({ big: type, middle: type, small: type });
const writer = { written: number, dropped: number, healthy: flag, last_error: text };

/** In the order in which an instance writes them, so that they are shown in that order, too. */
const report = {
  service: z.literal('claude-code-proxy'),
  instance: text,
  pid: processId,
  part: number,
  shares_port: flag,
  host: text,
  port: number,
  started_at: text,
  uptime_seconds: number,
  version: text,
  config_hash: text,
  config_loaded_at: text,
  config_problems: z.array(fields({ file: text, line: z.nullable(number), key: text, found: text, fix: text })),
  restart_needed: z.array(text),
  state: z.enum(['serving', 'draining']),
  permission_model: z.enum(['on', 'off', 'unavailable']),
  provider: fields({ name: text, title: text, base_url: text }),
  models: perTier(text),
  key: text,
  client_token: flag,
  circuit,
  strategy: text,
  providers: z.array(
    fields({
      name: text,
      priority: number,
      base_url: text,
      models: perTier(z.array(text)),
      protocols: perTier(z.nullable(text)),
      circuit,
      keys: z.array(
        fields({
          label: text,
          source: text,
          state: z.enum(['ready', 'resting']),
          until: z.nullable(text),
          reason: z.nullable(text),
          error_type: z.nullable(text),
        }),
      ),
      last_answer_at: z.nullable(text),
    }),
  ),
  queue: fields({ running: number, waiting: number }),
  in_flight: number,
  requests: fields({ total: number, ok: number, rejected: number, failed: number, client_closed: number }),
  tokens: fields({ input: number, cache_read: number, cache_creation: number, output: number }),
  web_search: fields({
    back_end: z.nullable(text),
    searches: number,
    failed: number,
    refused: number,
    last_failure: z.nullable(fields({ at: text, reason: text })),
  }),
  tools: fields({
    most: z.nullable(number),
    limited_sessions: number,
    left_out: number,
    search_lost_sessions: number,
    search_lost_reason: z.nullable(text),
  }),
  last_success_at: z.nullable(text),
  last_error: z.nullable(fields({ at: text, status: number, type: text, message: text })),
  vision: z.nullable(fields({ model: text, setting: text, base_url: text, described: number, failed: number })),
  unseen_pictures: number,
  log: fields({ path: text, ...writer }),
  usage: fields(writer),
  usage_database: z.nullable(fields({ server: text, waiting: number, ...writer })),
  otlp: z.nullable(fields({ traces: z.nullable(text), metrics: z.nullable(text), ...writer })),
  memory_bytes: number,
} satisfies Record<keyof HealthReport, z.core.SomeType>;

const schema = z.extend(fields(report), {
  service: report.service,
  instance: report.instance,
  pid: report.pid,
  state: z.catch(report.state, 'serving'),
});

/** Reads a health report; undefined when it is not one of a proxy of this kind. */
export function parseHealth(body: string): Health | undefined {
  const result = schema.safeParse(parseObject(body));
  return result.success ? result.data : undefined;
}

/** What the processes of an instance report, as one: counts are summed up, everything else is as the first has it. */
export function combineHealth(first: Health, all: readonly Health[]): Health {
  const others = all.filter(({ pid }) => pid !== first.pid);
  if (others.length === 0) return first;
  const reports = [first, ...others];
  return {
    ...first,
    queue: sumFields(reports.map(({ queue }) => queue)),
    in_flight: sum(reports.map(({ in_flight }) => in_flight)),
    requests: sumFields(reports.map(({ requests }) => requests)),
    tokens: sumFields(reports.map(({ tokens }) => tokens)),
    web_search: combineSearches(reports),
    tools: combineTools(reports.map(({ tools }) => tools)),
    last_success_at: latest(
      reports.map(({ last_success_at }) => last_success_at),
      (at) => at,
    ),
    last_error: latest(
      reports.map(({ last_error }) => last_error),
      (error) => error?.at,
    ),
    vision: first.vision && {
      ...first.vision,
      described: sum(reports.map(({ vision }) => vision?.described)),
      failed: sum(reports.map(({ vision }) => vision?.failed)),
    },
    unseen_pictures: sum(reports.map(({ unseen_pictures }) => unseen_pictures)),
    memory_bytes: sum(reports.map(({ memory_bytes }) => memory_bytes)),
  };
}

/** Undefined where no process knows of searches. */
function combineSearches(reports: readonly Health[]): Health['web_search'] {
  const known = reports.flatMap(({ web_search }) => web_search ?? []);
  if (known.length === 0) return undefined;
  return {
    back_end: known[0]?.back_end,
    searches: sum(known.map(({ searches }) => searches)),
    failed: sum(known.map(({ failed }) => failed)),
    refused: sum(known.map(({ refused }) => refused)),
    last_failure: latest(
      known.map(({ last_failure }) => last_failure),
      (failure) => failure?.at,
    ),
  };
}

type Unknowable<T> = T | undefined;

function sum(values: readonly Unknowable<number>[]): Unknowable<number> {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value);
}

function sumFields<T extends Readonly<Record<string, Unknowable<number>>>>(
  all: readonly Unknowable<T>[],
): Unknowable<T> {
  const known = all.filter((counts) => counts !== undefined);
  if (known.length === 0) return undefined;
  const names = new Set(known.flatMap((counts) => Object.keys(counts)));
  return Object.fromEntries([...names].map((name) => [name, sum(known.map((counts) => counts[name]))])) as T;
}

/** A session may come to several processes; then it is counted in each. */
function combineTools(all: readonly Health['tools'][]): Health['tools'] {
  const known = all.filter((tools) => tools !== undefined);
  if (known.length === 0) return undefined;
  return {
    most: known.map(({ most }) => most).find((most) => most != null) ?? null,
    limited_sessions: sum(known.map(({ limited_sessions }) => limited_sessions)),
    left_out: Math.max(...known.map(({ left_out }) => left_out ?? 0)),
    search_lost_sessions: sum(known.map(({ search_lost_sessions }) => search_lost_sessions)),
    search_lost_reason: known.map(({ search_lost_reason }) => search_lost_reason).find((reason) => reason != null),
  };
}

/** The value with the latest time; the first of several, and of those that have none. */
function latest<T>(values: readonly T[], timeOf: (value: T) => string | null | undefined): T {
  const sortable = (value: T) => timeOf(value) ?? '';
  return values.reduce((best, value) => (sortable(value) > sortable(best) ? value : best));
}

/** What is wrong with the providers behind an instance, named where there are several; '' when nothing is. */
export function providerTrouble({ providers = [] }: Health): string {
  const troubles = providers.flatMap((provider) => {
    const trouble = troubleOf(provider);
    if (trouble === undefined) return [];
    return [providers.length === 1 ? trouble : `${provider.name} ${trouble}`];
  });
  return troubles.join(', ');
}

/** How many providers can be asked when the first fails. */
export function countFallbacks({ providers = [] }: Health): number {
  return Math.max(0, providers.length - 1);
}

/** What keeps a provider from being asked as usual, in a few words; undefined when nothing does. */
function troubleOf({ circuit: state, keys = [] }: Unsure<ProviderHealth>): string | undefined {
  if (state === 'open') return 'down';
  if (state === 'half-open') return 'down, being tried again';
  const resting = keys.filter((key) => key.state === 'resting').length;
  if (resting === 0) return undefined;
  return keys.length === 1 ? 'key not used for now' : `${resting} of ${keys.length} keys not used for now`;
}

/** Who answers at a port. */
export type PortAnswer =
  | { readonly kind: 'instance'; readonly health: Health }
  /** Another program. */
  | { readonly kind: 'other' }
  /** A program that takes the connection and sends nothing. */
  | { readonly kind: 'unresponsive' }
  /** Nobody listens. */
  | { readonly kind: 'closed' };

const ANSWER_TIMEOUT_MS = 2000;
const MAX_ANSWER_LENGTH = 100_000;
/** Errors of a connection to a port where nobody listens. */
const CLOSED = ['ECONNREFUSED', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ENOTFOUND'];

/**
 * Asks a port for a health report. Never fails: what is no report is an answer too. A signal ends it early, with an answer of no
 * meaning. Written by hand, because `node:http` loads all that Node has for the web, which takes longer than the rest of `status`.
 */
export function queryPort(host: string, port: number, signal?: AbortSignal): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: reachableHost(host), port });
    let received = '';
    const finish = (answer: PortAnswer) => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = () => finish({ kind: 'unresponsive' });
    const deadline = setTimeout(giveUp, ANSWER_TIMEOUT_MS);
    signal?.addEventListener('abort', giveUp);
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      finish({ kind: CLOSED.includes(code) ? 'closed' : 'other' });
    });
    // Version 1.0, so that the body comes as it is, and ends with the connection.
    socket.write(`GET /health HTTP/1.0\r\nHost: ${clientAddress({ host, port })}\r\n\r\n`);
    socket.setEncoding('utf8').on('data', (piece: string) => {
      received += piece;
      if (received.length > MAX_ANSWER_LENGTH) finish({ kind: 'other' });
    });
    socket.once('close', () => {
      const body = /^HTTP\/1\.\d .*?\r\n\r\n(?<body>.*)$/s.exec(received)?.groups?.['body'] ?? '';
      const health = parseHealth(body);
      finish(health === undefined ? { kind: 'other' } : { kind: 'instance', health });
    });
  });
}
