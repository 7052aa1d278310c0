import { ApiError } from '../core/errors.ts';
import { tokenCount } from '../core/json.ts';
import { parseBoundedObject } from '../protocol/bounds.ts';
import { type AnswerReader, openOutcome } from '../upstream/upstream.ts';
import { askProvider, expandSearches, previewPictures } from './adapters/adapter.ts';
import { passthroughBody, passthroughCredentials, passthroughHeaders } from './adapters/messagesAdapter.ts';
import { type RequestBody, withBody } from './requestBody.ts';
import { planRequest, type Route, routeNow, skipReason } from './route.ts';
import type { IncomingRequest, Services } from './services.ts';

/** A count that takes longer is not worth waiting for: an estimate is at hand. */
const COUNT_TIMEOUT_MS = 5000;

/** Reads the one number of the answer. */
class CountReader implements AnswerReader {
  readonly outcome = openOutcome();
  count: number | undefined;

  pushJson(text: string): string {
    this.count = tokenCount(parseBoundedObject(text)?.['input_tokens']);
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
 * @param conversation what the requests of the conversation have in common
 * @param onGone calls its listener when the client goes away
 */
export async function askTokenCount(
  services: Services,
  incoming: IncomingRequest,
  body: RequestBody,
  { route, conversation }: { readonly route: Route; readonly conversation: () => string },
  onGone: (listener: () => void) => void,
): Promise<number | undefined> {
  const { model, backend } = route;
  const key = backend.keys.choose(conversation);
  if (key.source === 'client' && incoming.forwarded.providerKey === undefined) return undefined;
  const { authorization, headers } = passthroughCredentials(services, incoming, backend.provider, key);
  const request = {
    model: model.name,
    body: passthroughBody(body, model, services.bodies),
    stream: false,
    suffix: `/count_tokens${incoming.forwarded.query}`,
    headers: { ...passthroughHeaders(incoming, model.settings), ...headers },
    authorization,
  };
  const reader = new CountReader();
  const question = { request, reader, timeoutMs: COUNT_TIMEOUT_MS, purpose: 'a token count', incoming, onGone };
  await askProvider(services, route, key, question);
  return reader.count;
}

/** As the Messages API answers. */
export interface TokenCount {
  readonly input_tokens: number;
}

/**
 * Answers `POST /v1/messages/count_tokens` for the candidate that would be asked now. A native endpoint that counts exactly and for
 * nothing is asked first; else it is an estimate with the factors learned for the model, without any network.
 * @param onGone calls its listener when the client goes away
 */
export async function countTokens(
  services: Services,
  incoming: IncomingRequest,
  onGone: (listener: () => void) => void,
): Promise<TokenCount> {
  return withBody(services, incoming.body, (body) => count(services, incoming, body, onGone));
}

async function count(
  services: Services,
  incoming: IncomingRequest,
  body: RequestBody,
  onGone: (listener: () => void) => void,
): Promise<TokenCount> {
  // What is wrong with the request is said first.
  body.measured;
  const { candidates, conversation } = planRequest(services, incoming, body);
  const route = routeNow(services, candidates);
  const { model, backend } = route;
  const readable = await previewPictures(services, await expandSearches(services, body), route);
  const { measured } = readable;
  const counted =
    backend.provider.preset.countsTokens === true && skipReason(route) === undefined && readable === body
      ? await askTokenCount(services, incoming, body, { route, conversation }, onGone)
      : undefined;
  return { input_tokens: counted ?? services.calibration.estimate(model.name, measured) };
}
