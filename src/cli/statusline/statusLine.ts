import { readFileSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { isatty } from 'node:tty';
import { stripVTControlCharacters, styleText } from 'node:util';
import { localDay } from '../../core/clock.ts';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../../core/json.ts';
import { terminalSafe, wordPosix } from '../../core/text.ts';
import { shortHash } from '../../telemetry/requestRecord.ts';
import { IS_REQUEST } from '../../telemetry/usage/totals.ts';

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
export async function printStatusLine(
  { instance, host, port, usageFile, manager }: StatusSource,
  { NO_COLOR = '', CLAUDE_CODE_AUTO_COMPACT_WINDOW }: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { session, contextTokens } = readClient();
  const usage = readUsage(usageFile, session);
  const isUp = await isListening(host, port);
  const contextShare = contextTokens / Number(CLAUDE_CODE_AUTO_COMPACT_WINDOW);
  const program = manager === undefined ? './manage' : wordPosix(manager);
  const line = statusLine({ instance, isUp, usage, contextShare, program });
  process.stdout.write(`${NO_COLOR === '' ? line : stripVTControlCharacters(line)}\n`);
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

/** What Claude Code writes to the commands of status lines (seen with 2.1.328). */
interface ClientState {
  /** Its id of the session; empty when there is none. */
  readonly session: string;
  /** The input of the last answer; NaN when it is not known. */
  readonly contextTokens: number;
}

function readClient(): ClientState {
  let state: JsonObject | undefined;
  try {
    if (!isatty(STDIN)) state = parseObject(readFileSync(STDIN, 'utf8'));
  } catch {}
  const context = state?.['context_window'];
  const usage = isObject(context) ? context['current_usage'] : undefined;
  const tokens = (field: string) => (isObject(usage) ? (asNumber(usage[field]) ?? 0) : Number.NaN);
  return {
    session: asString(state?.['session_id']) ?? '',
    contextTokens: tokens('input_tokens') + tokens('cache_creation_input_tokens') + tokens('cache_read_input_tokens'),
  };
}

function readUsage(path: string, session: string): SessionUsage | undefined {
  try {
    return readSessionUsage(path, session, localDay(Date.now()));
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
    const hash = shortHash(session);
    const sums = (rest: string, value: string) =>
      database.prepare(`SELECT ${SUMS} ${rest}`).get(value) as unknown as UsageFigures;
    const last = database
      .prepare(
        `SELECT used_model ${OF_SESSION} AND used_model IS NOT NULL AND ${IS_REQUEST} ORDER BY agent, rowid DESC LIMIT 1`,
      )
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
  /** How much of the model's window the conversation fills, from 0 to 1; NaN when it is not known. */
  readonly contextShare: number;
  /** The manager, so that it can be called from where the user is. */
  readonly program?: string;
}

/** From these shares on the window is nearly, or as good as full: Claude Code will soon make a summary of the conversation. */
const NEARLY_FULL = 0.7;
const FULL = 0.9;

/**
 * The line for Claude Code's status bar: instance, model that really answered, share of its window, cost of the session and the day,
 * and the session's tokens, which come last as a narrow terminal cuts them off.
 */
export function statusLine({ instance, isUp, usage, contextShare, program = './manage' }: StatusFigures): string {
  const parts = [
    isUp
      ? terminalSafe(instance)
      : paint('red', `${terminalSafe(instance)} is down: ${terminalSafe(program)} start ${terminalSafe(instance)}`),
    ...(usage?.model === undefined ? [] : [terminalSafe(usage.model)]),
    ...(contextShare > 0 ? [describeContext(contextShare)] : []),
    ...(usage === undefined ? [] : describeUsage(usage)),
  ];
  return parts.join(' · ');
}

/** The output is a pipe to Claude Code, which shows colours. */
function paint(colour: 'red' | 'yellow', text: string): string {
  return styleText(colour, text, { validateStream: false });
}

function describeContext(share: number): string {
  const text = `ctx ${Math.min(100, Math.round(100 * share))}%`;
  if (share < NEARLY_FULL) return text;
  return paint(share < FULL ? 'yellow' : 'red', text);
}

function describeUsage({ session, today }: SessionUsage): string[] {
  const day = `today ${formatCost(today)}`;
  if (session.requests === 0) return [day];
  const input = session.input + session.cacheRead + session.cacheWrite;
  const cached = input === 0 ? 0 : Math.round((100 * session.cacheRead) / input);
  const share = cached === 0 ? '' : ` (${cached}% cached)`;
  return [formatCost(session), day, `${formatTokens(input)} in${share}, ${formatTokens(session.output)} out`];
}

/** `$0.42`; more digits while it is very little; `+?` behind it for what no price is known for. */
function formatCost({ cost, unpriced, requests }: SessionUsage['session']): string {
  if (requests > 0 && unpriced === requests) return 'price unknown';
  const known = cost === 0 || cost >= 0.01 ? cost.toFixed(2) : cost.toFixed(4);
  return `$${known}${unpriced > 0 ? '+?' : ''}`;
}

/** `950`, `12.3k`, `4.5M`. */
export function formatTokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
