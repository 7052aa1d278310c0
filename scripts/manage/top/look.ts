import { join } from 'node:path';
import { asNumber, asString, isObject } from '../../../src/core/json.ts';
import { usageFilePath } from '../../../src/telemetry/usage/file.ts';
import { addTotals } from '../../../src/telemetry/usage/totals.ts';
import { combineHealth } from '../combineHealth.ts';
import { askPort, type Health, healthField, type PortAnswer } from '../health.ts';
import type { Instance } from '../instances.ts';
import { findParts } from '../parts.ts';
import { NOTHING_RECENT, type RecentUsage, readRecentUsage } from './recentUsage.ts';

/** What a port answers to, in words; PM2 is not asked, as that takes longer than all the rest. */
export type TopState = 'serving' | 'draining' | 'not running' | 'not answering' | 'port taken' | 'wrong settings';

/** One breaker: of the instance's only provider, or of one of several. */
export interface Circuit {
  readonly provider: string | undefined;
  readonly state: string;
}

/** An instance at one moment; also all of them together. */
export interface TopRow {
  readonly name: string;
  readonly state: TopState | undefined;
  readonly inFlight: number;
  /** Requests that wait for a place. */
  readonly waiting: number;
  readonly circuits: readonly Circuit[];
  /** Undefined when the usage file cannot be read. */
  readonly recent: RecentUsage | undefined;
}

/** Looks at all instances at the same time. */
export function look(
  root: string,
  instances: readonly Instance[],
  now: number,
  signal?: AbortSignal,
): Promise<TopRow[]> {
  return Promise.all(
    instances.map(async (instance) => {
      const { name, config } = instance;
      const answer = config && (await askPort(config.host, config.port, signal));
      const one = answer?.kind === 'instance' && answer.health.instance === name ? answer.health : undefined;
      const health = one && combineHealth(one, await findParts(instance));
      return {
        name,
        state: stateOf(answer, health),
        inFlight: asNumber(health?.body['in_flight']) ?? 0,
        waiting: asNumber(health && healthField(health, 'queue', 'waiting')) ?? 0,
        circuits: health === undefined ? [] : circuitsOf(health),
        recent: readIfPossible(usageFilePath(config?.stateDirectory ?? join(root, 'state'), name), now),
      };
    }),
  );
}

/** All rows as one; latencies are those of all requests together. */
export function totalOf(rows: readonly TopRow[]): TopRow {
  const sum = (read: (row: TopRow) => number) => rows.reduce((total, row) => total + read(row), 0);
  const known = rows.flatMap(({ recent }) => recent ?? []);
  return {
    name: 'total',
    state: undefined,
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: sum(({ waiting }) => waiting),
    circuits: [],
    recent: known.reduce(addRecent, NOTHING_RECENT),
  };
}

function addRecent(a: RecentUsage, b: RecentUsage): RecentUsage {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    firstEvents: [...a.firstEvents, ...b.firstEvents],
    durations: [...a.durations, ...b.durations],
    today: addTotals(a.today, b.today),
  };
}

function stateOf(answer: PortAnswer | undefined, health: Health | undefined): TopState {
  if (answer === undefined) return 'wrong settings';
  if (health !== undefined) return health.state;
  if (answer.kind === 'silent') return 'not running';
  return answer.kind === 'mute' ? 'not answering' : 'port taken';
}

function circuitsOf({ body }: Health): Circuit[] {
  const providers = Array.isArray(body['providers']) ? body['providers'].filter(isObject) : [];
  return providers.flatMap(({ name, circuit }) => {
    const state = asString(circuit);
    return state === undefined ? [] : [{ provider: providers.length > 1 ? asString(name) : undefined, state }];
  });
}

function readIfPossible(path: string, now: number): RecentUsage | undefined {
  try {
    return readRecentUsage(path, now);
  } catch {
    return undefined; // the view goes on without it; `./manage usage` says what is wrong
  }
}
