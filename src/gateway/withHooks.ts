import { asString, isObject } from '../core/json.ts';
import type { HookInfo, HookName, Hooks } from '../hooks/hooks.ts';
import { HookedPort } from './hookedPort.ts';
import type { RequestBody } from './requestBody.ts';
import type { Run } from './run.ts';
import { withBody } from './withBody.ts';

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
