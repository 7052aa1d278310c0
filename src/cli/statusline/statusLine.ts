import { readFileSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { isatty } from 'node:tty';
import { localDay } from '../../core/clock.ts';
import { asString, parseObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';
import { hashSession } from '../../telemetry/requestRecord.ts';
import { wordPosix } from '../claude/shells.ts';

/** Where an instance's figures are; all of it stands in the command, so that no configuration has to be read. */
export interface StatusSource {
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly usageFile: string;
  /** The path of the manager; without it, its name stands in the line. */
  readonly manager?: string;
}

/** Prints the status line. Never fails: whatever cannot be found out is left out. */
export async function printStatusLine({ instance, host, port, usageFile, manager }: StatusSource): Promise<void> {
  const usage = readUsage(usageFile);
  const program = manager === undefined ? './manage' : wordPosix(manager);
  process.stdout.write(`${statusLine({ instance, isUp: await isListening(host, port), usage, program })}\n`);
}

/** On this machine a listener answers within one. */
const TIMEOUT_MS = 150;

/** Whether anybody takes connections there; without HTTP, which would take longer to load than to ask. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: TIMEOUT_MS });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}

const STDIN = 0;

/** The session's id, from what Claude Code writes to the commands of status lines; empty when there is none. */
function readSession(): string {
  if (isatty(STDIN)) return '';
  try {
    return asString(parseObject(readFileSync(STDIN, 'utf8'))?.['session_id']) ?? '';
  } catch {
    return '';
  }
}

function readUsage(path: string): SessionUsage | undefined {
  try {
    return readSessionUsage(path, readSession(), localDay(Date.now()));
  } catch {
    return undefined;
  }
}

/** The part of the usage that the line shows. */
export interface UsageFigures {
  readonly requests: number;
  /** Tokens; those from the cache and into it not included. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** US dollars, of the requests whose price is known. */
  readonly cost: number;
  readonly unpriced: number;
}

export interface SessionUsage {
  readonly session: UsageFigures;
  readonly today: UsageFigures;
  /** That answered last in the session, a subagent's only when there is no other. */
  readonly model: string | undefined;
}

const LOCK_WAIT_MS = 20;

/** A session is looked for among so many of the latest requests, as the file has no index on it. */
const LATEST = 10_000;

const SUMS = `count(*) AS requests, total(input_tokens) AS input, total(output_tokens) AS output,
  total(cache_read_tokens) AS cacheRead, total(cache_write_tokens) AS cacheWrite, total(cost) AS cost,
  total(cost IS NULL) AS unpriced`;

const OF_SESSION = `FROM requests WHERE rowid > (SELECT max(rowid) FROM requests) - ${LATEST} AND session = ?`;

/**
 * What a session and a day have used, out of an instance's usage file, whether the instance runs or not.
 * @param session The client's id of it, not the hash.
 * @param day YYYY-MM-DD
 * @throws when the file cannot be read
 */
export function readSessionUsage(path: string, session: string, day: string): SessionUsage | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    const hash = hashSession(session);
    const sums = (rest: string, value: string) =>
      database.prepare(`SELECT ${SUMS} ${rest}`).get(value) as unknown as UsageFigures;
    const last = database
      .prepare(`SELECT used_model ${OF_SESSION} AND used_model IS NOT NULL ORDER BY agent, rowid DESC LIMIT 1`)
      .get(hash);
    const model = last?.['used_model'];
    return {
      session: sums(OF_SESSION, hash),
      today: sums('FROM requests WHERE day = ?', day),
      model: typeof model === 'string' ? model : undefined,
    };
  } finally {
    database.close();
  }
}

/** What the line is made of. */
export interface StatusFigures {
  readonly instance: string;
  readonly isUp: boolean;
  /** Undefined when the usage file cannot be read. */
  readonly usage: SessionUsage | undefined;
  /** The manager, so that it can be called from where the user is. */
  readonly program?: string;
}

/** The line for Claude Code's status bar: instance, model that really answered, the session's tokens and cost, the day's cost. */
export function statusLine({ instance, isUp, usage, program = './manage' }: StatusFigures): string {
  const parts = [
    isUp ? instance : `${instance} is down: ${program} start ${instance}`,
    ...(usage?.model === undefined ? [] : [usage.model]),
    ...(usage === undefined ? [] : [...describeSession(usage), `today ${formatCost(usage.today)}`]),
  ];
  return terminalSafe(parts.join(' · '));
}

function describeSession({ session }: SessionUsage): string[] {
  const input = session.input + session.cacheRead + session.cacheWrite;
  if (session.requests === 0) return [];
  const cached = input === 0 ? 0 : Math.round((100 * session.cacheRead) / input);
  const share = cached === 0 ? '' : ` (${cached}% cached)`;
  return [`${formatTokens(input)} in${share}, ${formatTokens(session.output)} out`, formatCost(session)];
}

/** `$0.42`; more digits while it is little; `?` beside it, or alone, for what no price is known for. */
function formatCost({ cost, unpriced, requests }: SessionUsage['session']): string {
  if (requests > 0 && unpriced === requests) return '$?';
  const known = cost === 0 || cost >= 1 ? cost.toFixed(2) : cost.toFixed(4);
  return `$${known}${unpriced > 0 ? '+?' : ''}`;
}

/** `950`, `12.3k`, `4.5M`. */
export function formatTokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
