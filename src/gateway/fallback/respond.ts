import { ApiError } from '../../core/errors.ts';
import type { Adapter } from '../adapters/adapter.ts';
import { type RequestContext, recordError } from '../requestContext.ts';
import { type SseFormat, SseResponse } from '../responseWriter.ts';
import type { Route } from '../route.ts';
import type { Plan } from '../routePlan.ts';
import type { Services } from '../services.ts';
import { FallbackRunner } from './fallbackRunner.ts';

/** Answers a request from the first candidate of its plan that can, streamed or whole; throws what can still have a status of its own. */
export async function respondWithFallback(
  context: RequestContext,
  plan: Plan,
  format: SseFormat,
  createAdapter: (route: Route) => Adapter,
): Promise<void> {
  const { services, writer } = context;
  const runner = new FallbackRunner(context, plan, createAdapter);
  const [first] = plan.candidates;
  if (first === undefined) throw new TypeError('a plan without candidates');
  const stream = new SseResponse(writer, runner, format, services.models.get(first).settings);
  try {
    const result = await runner.run(stream);
    if (result.kind === 'aborted') return;
    const { adapter } = runner;
    const failure = result.kind === 'failed' ? result.error : failureOfWhole(adapter, stream);
    if (failure !== undefined) {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(context, failure, 'interrupted');
    } else if (adapter !== undefined) {
      keepConversation(services, plan, adapter.route);
      if (adapter.isWhole) writer.sendJson(200, runner.answerHeaders, adapter.bodyOf(stream.body));
    }
  } finally {
    stream.close();
    runner.adapter?.record();
  }
}

/** The conversation stays with the provider that has served it, unless something else than its tier led there. */
function keepConversation({ config, order }: Services, { decision, conversation }: Plan, { provider }: Route): void {
  if (config.providers.length > 1 && decision.intent === 'tier') order.keep(conversation(), provider);
}

/** An event stream that has begun with pings cannot become one JSON body any more. */
function failureOfWhole(adapter: Adapter | undefined, stream: SseResponse): ApiError | undefined {
  if (adapter?.isWhole !== true || !stream.open) return undefined;
  return new ApiError('bad_gateway', 'the provider answered with one body, too late for a stream that has begun');
}
