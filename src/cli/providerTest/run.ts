import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Config, NetworkProxy, ProviderConfig } from '../../config/config.ts';
import { tlsHint } from '../../core/errorHints.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Tiers } from '../../providers/preset.ts';
import { modelSettings } from '../../providers/preset.ts';
import { localDay } from '../../telemetry/days.ts';
import { findPrices } from '../../telemetry/usage/cost.ts';
import { type Answer, ask, type Door } from './client.ts';
import { askFor, fullChecks, runFullCheck } from './fullChecks.ts';
import {
  fail,
  failOf,
  NOTHING_SPENT,
  ok,
  type Row,
  row,
  type Spending,
  skipped,
  spend,
  type Verdict,
  warn,
} from './result.ts';

const CHECKS = ['DNS', 'TCP', 'TLS'] as const;

/** The same lines for a provider to which no connection of our own makes sense. */
export function skipNetwork(reason: string): Row[] {
  return CHECKS.map((check) => row(check, skipped(reason)));
}

/** Whether the provider's host is found, takes a connection, and proves who it is; after a failure nothing more is asked. */
export async function checkNetwork(endpoint: string, timeoutMs: number): Promise<Row[]> {
  const { hostname, port, protocol } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const notReached = row('TLS', skipped('not reached'));

  const dns = isIP(host)
    ? row('DNS', skipped('an address, not a name'))
    : await timed('DNS', timeoutMs, async () => describeAddresses(await lookup(host, { all: true })));
  if (dns.result === 'fail') return [dns, row('TCP', skipped('not reached')), notReached];

  const socket = connect({ host, port: Number(port) || (isTls ? 443 : 80) });
  socket.on('error', () => {});
  try {
    const tcp = await timed('TCP', timeoutMs, async () => {
      await once(socket, 'connect');
      return `${socket.remoteAddress} port ${socket.remotePort}`;
    });
    if (tcp.result === 'fail') return [dns, tcp, notReached];
    if (!isTls) return [dns, tcp, row('TLS', skipped('plain HTTP'))];
    return [dns, tcp, await timed('TLS', timeoutMs, () => shakeHands(socket, host))];
  } finally {
    socket.destroy();
  }
}

/** Makes one check; what `work` gives is its detail. */
async function timed(check: string, timeoutMs: number, work: () => Promise<string>): Promise<Row> {
  const startedAt = performance.now();
  const finished = new AbortController();
  const late = pause(timeoutMs, undefined, { signal: finished.signal }).then(
    () => fail(`nothing within ${timeoutMs / 1000} s`),
    () => fail('given up'),
  );
  const verdict = await Promise.race([work().then(ok, explain), late]);
  finished.abort();
  return row(check, verdict, Math.round(performance.now() - startedAt));
}

const SHOWN_ADDRESSES = 2;

function describeAddresses(addresses: readonly { readonly address: string }[]): string {
  const shown = addresses.slice(0, SHOWN_ADDRESSES).map(({ address }) => address);
  const more = addresses.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

async function shakeHands(socket: Socket, host: string): Promise<string> {
  const secure = connectTls({ socket, ...(isIP(host) ? { host } : { servername: host }), ALPNProtocols: ['http/1.1'] });
  try {
    await once(secure, 'secureConnect');
    return `${secure.getProtocol()}, certificate valid until ${secure.getPeerCertificate().valid_to}`;
  } finally {
    secure.destroy();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of this name: check OPENAI_BASE_URL',
  EAI_AGAIN: 'the name cannot be looked up now: check the network of this machine',
  ECONNREFUSED: 'nothing listens there: check OPENAI_BASE_URL, or start that server',
  ENETUNREACH: 'this machine has no way there: check its network',
  EHOSTUNREACH: 'this machine has no way there: check its network',
};

function explain(error: NodeJS.ErrnoException): Verdict {
  const { code = error.name, message } = error;
  return fail(`${tlsHint(code) ?? REASONS[code] ?? message} (${code})`);
}

/** Errors that come before the provider has looked at the key, or without it. */
const SILENT = new Set(['overloaded_error', 'timeout_error', 'api_error']);
const BAD_KEY = /api[ _-]?key|credential|unauthorized/i;

/**
 * Whether the provider takes the key, by the first answer; an error of another kind shows that it does.
 * @param key where the key comes from, in words
 */
export function judgeKey({ error }: Answer, key: string): Verdict {
  if (error === undefined) return ok(key);
  if (['authentication_error', 'billing_error'].includes(error.type)) return failOf(error);
  if (error.type === 'invalid_request_error' && BAD_KEY.test(error.message)) return fail(error.message);
  return SILENT.has(error.type) ? skipped('not known, as the provider did not answer') : ok(key);
}

/** The provider has too little room to finish, which proves that it has the model. */
const OUT_OF_ROOM = /max_(?:completion_)?tokens|output limit/i;

/**
 * Whether the provider serves a model, by any answer of it.
 * @param tiers those that it serves: `big, middle`
 */
export function judgeModel({ error }: Answer, tiers: string): Verdict {
  if (error === undefined) return ok(tiers);
  if (error.type === 'invalid_request_error' && OUT_OF_ROOM.test(error.message)) return ok(tiers);
  const verdict = failOf(error);
  return { ...verdict, detail: `${tiers}: ${verdict.detail}` };
}

/** Below this the whole answer came at once, and a rate would be noise. In ms. */
const MEASURABLE_MS = 100;

/** How an answer streams: time to the first token, tokens per second. */
export function judgeStream({ error, pieces, firstPieceMs, totalMs, usage, stopReason }: Answer): Verdict {
  if (error !== undefined) return skipped('no answer');
  if (firstPieceMs === undefined) {
    return stopReason === 'max_tokens' ? warn('all output went into hidden thinking') : fail('the answer is empty');
  }
  const first = `first token after ${(firstPieceMs / 1000).toFixed(1)} s`;
  if (pieces === 1) return warn(`${first}, the answer in one piece: something on the way holds it back`);
  const streamMs = totalMs - firstPieceMs;
  if (streamMs < MEASURABLE_MS) return ok(`${first}, the rest at once`);
  return ok(`${first}, ${Math.round((usage.output * 1000) / streamMs)} tokens/s`);
}

/** One check that asks the provider; the name is there before it is made, so that it can be skipped. */
export interface Step {
  readonly check: string;
  run(): Promise<Row>;
}

export type AskModel = (model: string, fields: JsonObject) => Promise<Answer>;

const SPEED_REQUEST = askFor('Count from 1 to 40, only the numbers, with spaces between them.', { max_tokens: 1000 });
const MODEL_REQUEST = askFor('Answer with one word: ready', { max_tokens: 1 });

/** The models of an instance and the tiers that each serves, as in `big, middle`; the big one first. */
export function distinctModels(tiers: Tiers): { readonly model: string; readonly serves: string }[] {
  const names = ['big', 'middle', 'small'] as const;
  return [...new Set(names.map((name) => tiers[name]))].map((model) => ({
    model,
    serves: names.filter((name) => tiers[name] === model).join(', '),
  }));
}

/**
 * The checks in their order. One answer of the big model tells of the key, of that model and of the speed; each further model
 * is asked for one token.
 * @param key where the key comes from, in words
 */
export function planSteps(config: Config, key: string, full: boolean, ask: AskModel): Step[] {
  const { tiers, limits } = config;
  const { big } = tiers;
  const { provider, model: servedModel } = config.modelRefs.of(big);
  let firstAnswer: Promise<Answer> | undefined;
  const first = () => {
    firstAnswer ??= ask(big, SPEED_REQUEST);
    return firstAnswer;
  };
  const ofFirst = (check: string, judge: (answer: Answer) => ReturnType<typeof judgeStream>): Step => ({
    check,
    run: async () => {
      const answer = await first();
      return row(check, judge(answer), answer.totalMs);
    },
  });
  const models = distinctModels(tiers).map(({ model, serves }): Step => {
    const check = `model ${model}`;
    if (model === big) return ofFirst(check, (answer) => judgeModel(answer, serves));
    const run = async () => {
      const answer = await ask(model, MODEL_REQUEST);
      return row(check, judgeModel(answer, serves), answer.totalMs);
    };
    return { check, run };
  });
  const subject = {
    settings: modelSettings(provider, servedModel),
    maxBodyBytes: limits.maxBodyBytes,
    isLocal: provider.preset.keyOptional === true,
  };
  const further = fullChecks.map((fullCheck): Step => {
    const check = fullCheck.name;
    const run = async () => {
      if ((await first()).error !== undefined) return row(check, skipped('the model does not answer'));
      return runFullCheck(fullCheck, subject, (fields) => ask(big, fields));
    };
    return { check, run };
  });
  return [
    ofFirst('key', (answer) => judgeKey(answer, key)),
    ...models,
    ofFirst('stream', judgeStream),
    ...(full ? further : []),
  ];
}

export interface ProbeOptions {
  readonly config: Config;
  readonly door: Door;
  readonly full: boolean;
  /** Where the key comes from, in words. */
  readonly key: string;
  /** Called before each check. */
  readonly onCheck: (check: string) => void;
}

export interface ProbeResult {
  readonly rows: readonly Row[];
  readonly spending: Spending;
}

/** Whether the way to a provider is open; what makes no sense to ask is skipped. */
export async function checkRoute(
  provider: ProviderConfig,
  networkProxy: NetworkProxy,
  timeoutMs: number,
): Promise<Row[]> {
  if (provider.preset.protocol === 'demo') return skipNetwork('built in');
  const endpoint = provider.endpoint.replace('{model}', 'model');
  const { httpProxy, httpsProxy } = networkProxy;
  const isProxied = (endpoint.startsWith('https:') ? httpsProxy : httpProxy) !== undefined;
  return isProxied ? skipNetwork('a network proxy stands between') : checkNetwork(endpoint, timeoutMs);
}

/** Why what follows makes no sense; undefined when it does. */
function obstacle(rows: readonly Row[]): string | undefined {
  const failed = rows.filter(({ result }) => result === 'fail').map(({ check }) => check);
  if (failed.includes('key')) return 'the key is not accepted';
  return failed.some((check) => ['DNS', 'TCP', 'TLS'].includes(check)) ? 'the provider is not reached' : undefined;
}

/** Tests an instance that runs. One check at a time, as a provider may take no more, and times are told. */
export async function runProbe({ config, door, full, key, onCheck }: ProbeOptions): Promise<ProbeResult> {
  const { provider } = config.modelRefs.of(config.tiers.big);
  let spending = NOTHING_SPENT;
  const steps = planSteps(config, key, full, async (model, fields) => {
    const answer = await ask(door, { model, ...fields });
    const now = Date.now();
    spending = spend(spending, answer.usage, findPrices(config, model, localDay(now)), now);
    return answer;
  });
  onCheck('network');
  const rows = await checkRoute(provider, config.networkProxy, door.timeoutMs);
  for (const { check, run } of steps) {
    const reason = obstacle(rows);
    if (reason === undefined) onCheck(check);
    rows.push(reason === undefined ? await run() : row(check, skipped(reason)));
  }
  // A request to a native endpoint goes through as it is, so that no quirk could change it.
  const isNative = provider.preset.protocol === 'anthropic';
  return { rows: isNative ? rows.map((made) => ({ ...made, quirks: [] })) : rows, spending };
}
