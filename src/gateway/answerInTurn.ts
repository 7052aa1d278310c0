import { ApiError } from '../core/errors.ts';
import type { Answerer } from './answerer.ts';
import { Chain } from './chain.ts';
import { EventStream, type EventStreamOptions } from './eventStream.ts';
import type { Plan } from './planRequest.ts';
import { type Route, routeTo } from './route.ts';
import { type Run, recordError, runChain } from './run.ts';
import type { Services } from './services.ts';

export interface TurnOptions extends Pick<EventStreamOptions, 'ping' | 'errorText'> {
  readonly createAnswerer: (route: Route) => Answerer;
}

/** Who answers, and how many candidates before did not. */
function answerHeaders({ answerer, fallbacks }: Chain): Record<string, string> {
  if (answerer === undefined) return {};
  const { length } = fallbacks;
  return { 'x-provider': answerer.route.provider, ...(length === 0 ? {} : { 'x-fallback': String(length) }) };
}

/** Answers a request from the first candidate of its plan that can, streamed or whole; throws what can still have a status of its own. */
export async function answerInTurn(
  run: Run,
  plan: Plan,
  { createAnswerer, ping, errorText }: TurnOptions,
): Promise<void> {
  const { services, incoming, port, record } = run;
  const [first = ''] = plan.candidates;
  const { pingMs, headerWaitMs } = routeTo(services, first).target.settings;
  let whole = '';
  const chain = new Chain({
    services,
    requestId: incoming.id,
    plan,
    createAnswerer,
    onOutput: (output, last) => {
      record.firstEventMs ??= run.elapsed();
      if (chain.answerer?.isWhole === true) whole += output;
      else if (last) stream.end(output);
      else stream.write(output);
      if (stream.blocked) chain.pause();
    },
  });
  // A stream that begins with pings begins before it is known who will answer.
  const headers = () => (chain.sent || plan.candidates.length === 1 ? answerHeaders(chain) : {});
  const stream = new EventStream(port, { ping, errorText, pingMs, headerWaitMs, headers }, () => chain.resume());
  try {
    const result = await runChain(run, chain);
    if (result.kind === 'aborted') return;
    const { answerer } = chain;
    const failure = result.kind === 'failed' ? result.error : failureOfWhole(answerer, stream);
    if (failure !== undefined) {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(run, failure, 'interrupted');
    } else if (answerer !== undefined) {
      keepConversation(services, plan, answerer.route);
      if (answerer.isWhole) port.sendJson(200, answerHeaders(chain), answerer.bodyOf(whole));
    }
  } finally {
    stream.close();
    chain.answerer?.record();
  }
}

/** The conversation stays with the provider that has served it, unless something else than its tier led there. */
function keepConversation({ config, order }: Services, { decision, conversation }: Plan, { provider }: Route): void {
  if (config.providers.length > 1 && decision.intent === 'tier') order.keep(conversation(), provider);
}

/** An event stream that has begun with pings cannot become one JSON body any more. */
function failureOfWhole(answerer: Answerer | undefined, stream: EventStream): ApiError | undefined {
  if (answerer?.isWhole !== true || !stream.open) return undefined;
  return new ApiError('bad_gateway', 'the provider answered with one body, too late for a stream that has begun');
}
