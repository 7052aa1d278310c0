import { ApiError } from '../core/errors.ts';
import { asNumber, parseObject } from '../core/json.ts';
import type { AnswerReader } from '../upstream/answerReader.ts';
import { Exchange } from '../upstream/exchange.ts';
import { createFailureContext } from './failureContext.ts';
import { passthroughCredentials, passthroughHeaders, preparePassthrough } from './passthroughRequest.ts';
import type { IncomingRequest, Services } from './services.ts';

/** A count that takes longer is not worth waiting for: an estimate is at hand. */
const COUNT_TIMEOUT_MS = 5000;

/** Reads the one number of the answer. */
class CountReader implements AnswerReader {
  readonly outcome: { ended: boolean; finished: boolean; empty: boolean; error?: ApiError } = {
    ended: false,
    finished: false,
    empty: false,
  };
  count: number | undefined;

  pushJson(text: string): string {
    this.count = asNumber(parseObject(text)?.['input_tokens']);
    this.outcome.ended = true;
    return '';
  }

  pushBytes(): string {
    return this.fail(new ApiError('bad_gateway', 'the provider answered a token count with a stream'));
  }

  end(): string {
    return this.fail(new ApiError('overloaded', 'the provider answered a token count with nothing'));
  }

  settle(): string {
    return '';
  }

  fail(error: ApiError): string {
    this.outcome.error = error;
    return '';
  }
}

/**
 * Asks a native endpoint how many tokens a request has; undefined when it does not say, for whatever reason.
 * @param value the body, parsed
 * @param onGone calls its listener when the client goes away
 */
export async function askTokenCount(
  services: Services,
  incoming: IncomingRequest,
  value: unknown,
  onGone: (listener: () => void) => void,
): Promise<number | undefined> {
  const { route, body } = preparePassthrough(services, incoming.body, value);
  const { target, destination } = route;
  if (destination.provider.key.source === 'client' && incoming.providerKey === undefined) return undefined;
  const { authorization, headers } = passthroughCredentials(services, incoming, destination.provider);
  const reader = new CountReader();
  const exchange = new Exchange({
    upstream: destination.upstream,
    request: {
      model: target.model,
      body,
      stream: false,
      suffix: `/count_tokens${incoming.forwarded.query}`,
      headers: { ...passthroughHeaders(incoming, target.settings), ...headers },
      authorization,
    },
    reader,
    idleTimeoutMs: COUNT_TIMEOUT_MS,
    requestTimeoutMs: COUNT_TIMEOUT_MS,
    usageWaitMs: 0,
    holdEmpty: false,
    failureContext: () => createFailureContext(services, route, 0, incoming),
    onOutput: () => {},
    now: () => services.clock.monotonic(),
  });
  const deadline = setTimeout(() => exchange.abort(), COUNT_TIMEOUT_MS);
  onGone(() => exchange.abort());
  await exchange.result;
  clearTimeout(deadline);
  return reader.count;
}
