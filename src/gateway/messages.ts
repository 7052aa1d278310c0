import { asString, isObject } from '../core/json.ts';
import type { HookInfo, HookName, Hooks } from '../hooks/hooks.ts';
import { errorBody, errorEvent, errorHeaders, PING_EVENT } from '../protocol/anthropic/errors.ts';
import { MessageAssembler } from '../protocol/anthropic/message.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { ChatAnswerer } from './adapters/chatAdapter.ts';
import { NativeAnswerer } from './adapters/messagesAdapter.ts';
import { answerInTurn } from './fallback/fallback.ts';
import { withBody } from './readBody.ts';
import type { RequestBody } from './requestBody.ts';
import { type Run, recordPlan, recordRoute, runRequest } from './requestContext.ts';
import type { ClientPort } from './responseWriter.ts';
import { isNative, routeTo } from './route.ts';
import { planRequest } from './routePlan.ts';
import type { IncomingRequest, Services } from './services.ts';
import { ableToSearch, answerWebSearch, SEARCH_REFUSED } from './webSearch.ts';

/** The client's side of a request whose answer somebody wants to see: a whole one before it goes out, a streamed one after it. */
export class HookedPort implements ClientPort {
  /** Resolves when a whole answer is out; at once for a stream, which waits for nobody. */
  sent: Promise<void> = Promise.resolve();
  readonly #port: ClientPort;
  readonly #show: (message: string) => Promise<string | undefined>;
  readonly #assembler = new MessageAssembler();

  /** @param show takes a message as JSON text and gives it back if it is changed; never rejects */
  constructor(port: ClientPort, show: (message: string) => Promise<string | undefined>) {
    this.#port = port;
    this.#show = show;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.sent = this.#show(body).then((changed) => this.#port.sendJson(status, headers, changed ?? body));
  }

  openStream(headers?: Readonly<Record<string, string>>): void {
    this.#port.openStream(headers);
  }

  write(output: string | Uint8Array): boolean {
    this.#assembler.push(output);
    return this.#port.write(output);
  }

  end(output: string | Uint8Array): void {
    this.#assembler.push(output);
    this.#port.end(output);
    const message = this.#assembler.end();
    if (message !== undefined) void this.#show(JSON.stringify(message));
  }

  onDrain(listener: () => void): void {
    this.#port.onDrain(listener);
  }

  onGone(listener: () => void): void {
    this.#port.onGone(listener);
  }
}

function infoOf({ record, services }: Run, { value }: RequestBody): HookInfo {
  const { model, stream } = isObject(value) ? value : {};
  return {
    instance: services.config.instance,
    id: record.id,
    provider: record.provider,
    model: asString(model),
    stream: stream === true,
    agent: record.agent,
    session: record.session,
  };
}

/** Answers a request as the user's hooks have changed it, and shows them the answer; both are JSON texts to whoever is in between. */
async function answerHooked(
  run: Run,
  body: RequestBody,
  hooks: Hooks,
  answer: (run: Run) => Promise<void>,
): Promise<void> {
  const { inFlight } = run.services;
  const info = infoOf(run, body);
  const call = async (name: HookName, text: string) => {
    const release = inFlight.hold();
    const changed = await hooks.call(name, text, { ...info, provider: run.record.provider });
    release();
    return changed;
  };
  const changed = hooks.has('request') ? await call('request', JSON.stringify(body.value)) : undefined;
  const incoming = changed === undefined ? run.incoming : { ...run.incoming, body: Buffer.from(changed) };
  if (!hooks.has('response')) return answer({ ...run, incoming });
  const port = new HookedPort(run.port, (message) => call('response', message));
  await answer({ ...run, incoming, port });
  await port.sent;
}

/** The same way to an answer, by way of the user's hooks where there are any. */
export function withHooks(answer: (run: Run) => Promise<void>): (run: Run) => Promise<void> {
  return (run) => {
    const { services, incoming } = run;
    const { hooks } = services;
    if (hooks.areIdle) return answer(run);
    return withBody(services, incoming.body, (body) => answerHooked(run, body, hooks, answer));
  };
}

async function answer(run: Run, body: RequestBody): Promise<void> {
  const { services, incoming, port, record } = run;
  const planned = planRequest(services, incoming, body);
  recordPlan(run, planned);
  record.stream = body.object['stream'] === true;
  const plan = { ...planned, candidates: ableToSearch(services, planned.candidates, body) };
  if (plan.candidates.length === 0) {
    recordRoute(run, routeTo(services, planned.decision.model));
    record.notes = [...plan.notes, SEARCH_REFUSED];
    answerWebSearch(port, body.parsed);
    return;
  }
  await answerInTurn(run, plan, {
    createAnswerer: (route) =>
      isNative(route) ? new NativeAnswerer(run, plan, body, route) : new ChatAnswerer(run, plan, body, route),
    ping: record.stream ? PING_EVENT : undefined,
    errorText: errorEvent,
  });
}

/**
 * Answers `POST /v1/messages`; resolves when the answer is complete or the client is gone, with what was logged of it, and never
 * rejects.
 */
export function answerMessages(
  services: Services,
  incoming: IncomingRequest,
  port: ClientPort,
): Promise<Readonly<RequestRecord>> {
  return runRequest(
    services,
    incoming,
    port,
    withHooks((run) => withBody(run.services, run.incoming.body, (body) => answer(run, body))),
    (error) => port.sendJson(error.status, errorHeaders(error), errorBody(error, incoming.id)),
  );
}
