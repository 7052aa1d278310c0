import { errorBody, errorEvent, errorHeaders, PING_EVENT } from '../protocol/anthropic/errors.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import { ableToSearch, SEARCH_REFUSED } from './ableToSearch.ts';
import { answerInTurn } from './answerInTurn.ts';
import { ChatAnswerer } from './chatAnswerer.ts';
import type { ClientPort } from './clientPort.ts';
import { NativeAnswerer } from './nativeAnswerer.ts';
import { planRequest } from './planRequest.ts';
import type { RequestBody } from './requestBody.ts';
import { isNative, routeTo } from './route.ts';
import { type Run, recordPlan, recordRoute, runRequest } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';
import { answerWebSearch } from './webSearchAnswer.ts';
import { withBody } from './withBody.ts';
import { withHooks } from './withHooks.ts';

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
