import type { Config } from '../../config/config.ts';
import { localDay } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import { modelSettings, protocolOf, type Tiers } from '../../providers/preset.ts';
import { costOf, findPrices } from '../../telemetry/usage/cost.ts';
import {
  type FullCheck,
  fullChecks,
  reasonToSkipOverflow,
  runFullCheck,
  TIMES_WINDOW,
  userMessage,
} from './fullChecks.ts';
import { type Answer, type ClientOptions, sendMessage } from './messagesClient.ts';
import { checkRoute, NETWORK_CHECKS } from './networkChecks.ts';
import {
  addSpending,
  describeReply,
  fail,
  failFromError,
  NO_SPENDING,
  ok,
  quirk,
  type Spending,
  skipped,
  type TestedModel,
  type TestResult,
  type TestRow,
  testRow,
  warn,
} from './testResult.ts';

export interface ProviderTestOptions {
  readonly config: Config;
  readonly client: ClientOptions;
  readonly full: boolean;
  /** Where the key comes from, in words. */
  readonly key: string;
  /** Called before each check. */
  readonly onCheck: (check: string) => void;
}

export interface ProviderTestResult {
  readonly rows: readonly TestRow[];
  readonly spending: Spending;
}

/** Tests an instance that runs. One check at a time, as a provider may take no more, and their times are shown. */
export async function testProvider({
  config,
  client,
  full,
  key,
  onCheck,
}: ProviderTestOptions): Promise<ProviderTestResult> {
  const { provider } = config.modelRefs.of(config.tiers.big);
  let spending = NO_SPENDING;
  const steps = planSteps(config, key, full, async (model, fields) => {
    const answer = await sendMessage(client, { model, ...fields });
    const now = Date.now();
    spending = addSpending(spending, answer.usage, findPrices(config, model, localDay(now)), now);
    return answer;
  });
  onCheck('network');
  const rows = await checkRoute(provider, config, client.timeoutMs);
  // The instance finds it out, too, so that `status` does not call it ready.
  if (isUnreached(rows)) await sendMessage(client, { model: config.tiers.big, ...MODEL_REQUEST });
  for (const { check, run } of steps) {
    const reason = reasonToSkip(rows);
    if (reason === undefined) onCheck(check);
    rows.push(reason === undefined ? await run() : testRow(check, skipped(reason)));
  }
  // A request to a native endpoint goes through as it is, so that no quirk could change it.
  const isNative = provider.preset.protocol === 'anthropic';
  return { rows: isNative ? rows.map((row) => ({ ...row, quirks: [] })) : rows, spending };
}

/** Why the checks that follow would prove nothing; undefined when they would. */
function reasonToSkip(rows: readonly TestRow[]): string | undefined {
  const failed = rows.filter(({ result }) => result === 'fail').map(({ check }) => check);
  if (failed.includes('key')) return 'the key is not accepted';
  return isUnreached(rows) ? 'the provider is not reached' : undefined;
}

function isUnreached(rows: readonly TestRow[]): boolean {
  return rows.some(({ check, result }) => result === 'fail' && NETWORK_CHECKS.some((name) => name === check));
}

/** One check that asks the provider; the name is there before it is made, so that it can be skipped. */
export interface Step {
  readonly check: string;
  run(): Promise<TestRow>;
}

export type AskModel = (model: string, fields: JsonObject) => Promise<Answer>;

const SPEED_REQUEST = userMessage('Count from 1 to 40, only the numbers, with spaces between them.', {
  max_tokens: 1000,
});
const MODEL_REQUEST = userMessage('Answer with one word: ready', { max_tokens: 1 });

/** The models of an instance and the tiers that each serves, as in `big, middle`; the big one first. */
export function distinctModels(tiers: Tiers): { readonly model: string; readonly serves: string }[] {
  const names = ['big', 'middle', 'small'] as const;
  return [...new Set(names.map((name) => tiers[name]))].map((model) => ({
    model,
    serves: names.filter((name) => tiers[name] === model).join(', '),
  }));
}

/** The model of the big tier, to which the checks of `--full` go. */
function testedModelOf({ tiers, limits, modelRefs, vision, webSearch }: Config): TestedModel {
  const { provider, model } = modelRefs.of(tiers.big);
  const settings = modelSettings(provider, model);
  const isHosted = settings.webSearch === 'native' || settings.webSearch === 'provider';
  return {
    settings,
    searchesBy: webSearch?.api.title ?? (isHosted ? provider.preset.title : undefined),
    maxBodyBytes: limits.maxBodyBytes,
    isLocal: provider.preset.keyOptional === true,
    vision: vision?.label,
  };
}

/** Claude Code's search of the web brings pages. It costs a search. */
export const webSearch: FullCheck = {
  name: 'web search',
  skip: ({ searchesBy }) =>
    searchesBy === undefined ? 'nobody searches here: WEB_SEARCH (docs/SEARCH.md)' : undefined,
  turns: [
    () =>
      userMessage('Perform a web search for the query: Claude Code documentation', {
        tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
      }),
  ],
  evaluate: ({ error, content, text }, _last, { searchesBy }) => {
    if (error !== undefined) return failFromError(error);
    const found = content.find(({ type }) => type === 'web_search_tool_result')?.['content'];
    if (!Array.isArray(found)) return fail(`${searchesBy}: ${found === undefined ? 'no search was done' : text}`);
    const count = found.length === 1 ? '1 page' : `${found.length} pages`;
    return found.length === 0 ? warn(`${searchesBy} found nothing`) : ok(`${searchesBy} found ${count}`);
  },
};

/** So many more tools than the server takes; of a server without a known limit, more than most take. */
const TOOLS_BEYOND = 20;
const USUAL_MOST = 128;

const countTools = ({ settings }: TestedModel) => (settings.toolsMax ?? USUAL_MOST) + TOOLS_BEYOND;
const shelfTool = (shelf: number) => `mcp__archive__open_shelf_${shelf}`;

/** With more tools than the server takes, the model is offered the one that the user means, and calls it. */
export const manyTools: FullCheck = {
  name: 'many tools',
  skip: ({ isLocal, settings: { toolsMax } }) =>
    isLocal && toolsMax === undefined ? 'a server of your own takes what its window holds' : undefined,
  turns: [
    (_answers, model) =>
      userMessage(`Use a tool: open shelf ${countTools(model)} of the archive.`, {
        tools: Array.from({ length: countTools(model) }, (_, index) => ({
          name: shelfTool(index + 1),
          description: `Opens shelf ${index + 1}.`,
          input_schema: { type: 'object', properties: {} },
        })),
      }),
  ],
  evaluate: (answer, _last, model) => {
    const { error, toolUses } = answer;
    const count = countTools(model);
    const { toolsMax = count } = model.settings;
    if (error !== undefined) {
      return /tools/i.test(error.message) ? failFromError(error, quirk('toolsMax', '64')) : failFromError(error);
    }
    const [called] = toolUses;
    if (called === undefined) return warn(`no tool call: ${describeReply(answer)}`);
    if (called.name !== shelfTool(count))
      return warn(`among ${toolsMax} tools the model chose another one than was meant`, quirk('toolsMax', '40'));
    return ok(toolsMax < count ? `${toolsMax} of ${count} offered, the right one called` : `one of ${count} called`);
  },
};

/** In tokens: what all checks of `--full` but that of the overflow have taken and given, rounded up. */
const FULL_INPUT = 22_000;
const FULL_OUTPUT = 5_000;

/** What `--full` may use up, in tokens and US dollars. */
export interface FullTestEstimate {
  readonly input: number;
  readonly output: number;
  /** Of the request that is meant to be refused as too long; 0 when it is not made. */
  readonly overflow: number;
  /** Without the overflow; undefined when the price is not known. */
  readonly dollars: number | undefined;
  readonly overflowDollars: number | undefined;
}

/**
 * What `--full` may cost with the model of the big tier.
 * @param now in ms since 1970, as prices change
 */
export function estimateFullTest(config: Config, now: number): FullTestEstimate {
  const model = testedModelOf(config);
  const overflow = reasonToSkipOverflow(model) === undefined ? (model.settings.contextWindow ?? 0) * TIMES_WINDOW : 0;
  const prices = findPrices(config, config.tiers.big, localDay(now));
  const cost = (input: number, output: number) => costOf({ input, output, cacheRead: 0, cacheWrite: 0 }, prices, now);
  return {
    input: FULL_INPUT,
    output: FULL_OUTPUT,
    overflow,
    dollars: cost(FULL_INPUT, FULL_OUTPUT),
    overflowDollars: overflow === 0 ? 0 : cost(overflow, 0),
  };
}

/** The estimate in words; undefined when it costs nothing, as on a server of the user's own. */
export function describeEstimate(config: Config, now: number): string | undefined {
  const { input, output, overflow, dollars, overflowDollars } = estimateFullTest(config, now);
  if (testedModelOf(config).isLocal || (dollars === 0 && overflowDollars === 0)) return undefined;
  const count = (tokens: number) => tokens.toLocaleString('en-US');
  const price = (amount: number | undefined) =>
    amount === undefined ? 'price unknown' : `about $${amount.toFixed(2)}`;
  const most =
    overflow === 0
      ? ''
      : ` One request of ${count(overflow)} tokens is meant to be refused; a provider that takes it bills it, too (${price(overflowDollars)}).`;
  return `--full asks ${config.tiers.big} for about ${count(input)} tokens in and ${count(output)} out (${price(dollars)}).${most}`;
}

/**
 * The checks in their order. One answer of the big model shows the key, that model and the speed; each further model is asked for
 * one token.
 * @param key where the key comes from, in words
 */
export function planSteps(config: Config, key: string, full: boolean, ask: AskModel): Step[] {
  const { tiers } = config;
  const { big } = tiers;
  let firstAnswer: Promise<Answer> | undefined;
  const first = () => {
    firstAnswer ??= ask(big, SPEED_REQUEST);
    return firstAnswer;
  };
  const ofFirst = (check: string, evaluate: (answer: Answer) => TestResult): Step => ({
    check,
    run: async () => {
      const answer = await first();
      return testRow(check, evaluate(answer), answer.totalMs);
    },
  });
  const models = distinctModels(tiers).map(({ model, serves }): Step => {
    const check = `model ${model}`;
    const ref = config.modelRefs.of(model);
    const detail = protocolOf(ref.provider, ref.model) === 'responses' ? `${serves}, by the Responses API` : serves;
    if (model === big) return ofFirst(check, (answer) => modelResult(answer, detail));
    const run = async () => {
      const answer = await ask(model, MODEL_REQUEST);
      return testRow(check, modelResult(answer, detail), answer.totalMs);
    };
    return { check, run };
  });
  const testedModel = testedModelOf(config);
  const further = [...fullChecks, manyTools, webSearch].map((fullCheck): Step => {
    const check = fullCheck.name;
    const run = async () => {
      if ((await first()).error !== undefined) return testRow(check, skipped('the model does not answer'));
      return runFullCheck(fullCheck, testedModel, (fields) => ask(big, fields));
    };
    return { check, run };
  });
  return [
    ofFirst('key', (answer) => keyResult(answer, key)),
    ...models,
    ofFirst('stream', streamResult),
    ...(full ? further : []),
  ];
}

/** Errors that come before the provider has read the key, or without it. */
const NO_ANSWER = new Set(['overloaded_error', 'timeout_error', 'api_error']);
const BAD_KEY = /api[ _-]?key|credential|unauthorized/i;

/**
 * Whether the provider takes the key, by the first answer; an error of another kind shows that it does.
 * @param key where the key comes from, in words
 */
export function keyResult({ error }: Answer, key: string): TestResult {
  if (error === undefined) return ok(key);
  if (['authentication_error', 'billing_error'].includes(error.type)) return failFromError(error);
  if (error.type === 'invalid_request_error' && BAD_KEY.test(error.message)) return fail(error.message);
  return NO_ANSWER.has(error.type) ? skipped('not known, as the provider did not answer') : ok(key);
}

/** The token limit of the test was too low to finish, which proves that the provider has the model. */
const LIMIT_REACHED = /max_(?:completion_)?tokens|output limit/i;

/**
 * Whether the provider serves a model, by any answer of it.
 * @param tiers those that it serves: `big, middle`
 */
export function modelResult({ error, isFallback }: Answer, tiers: string): TestResult {
  if (isFallback === true) return warn(`${tiers}: another model answered in its place; the log has the reason`);
  if (error === undefined) return ok(tiers);
  if (error.type === 'invalid_request_error' && LIMIT_REACHED.test(error.message)) return ok(tiers);
  const failure = failFromError(error);
  return { ...failure, detail: `${tiers}: ${failure.detail}` };
}

/** Below this the whole answer came at once, and a rate would be noise. In ms. */
const MEASURABLE_MS = 100;

/** How an answer streams: time to the first token, tokens per second. */
export function streamResult({ error, pieces, firstPieceMs, totalMs, usage, stopReason }: Answer): TestResult {
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
