import type { ProviderKey } from '../config/config.ts';
import type { JsonObject } from '../core/json.ts';
import type { FailureContext } from '../upstream/errors.ts';
import type { Answerer, Attempt } from './answerer.ts';
import { authorizationFor } from './authorization.ts';
import { createFailureContext } from './failureContext.ts';
import type { Plan } from './planRequest.ts';
import { recordUsage } from './recordUsage.ts';
import { RelayReader } from './relayReader.ts';
import type { Route } from './route.ts';
import { type Run, recordKey, recordRoute } from './run.ts';

/** Answers a chat completions request from a provider of that API: both go through as they are, but for the model. */
export class RelayAnswerer implements Answerer {
  readonly mayRepeatEmpty = false;
  readonly route: Route;
  readonly #run: Run;
  readonly #sent: Buffer;
  #key: ProviderKey;
  #reader: RelayReader | undefined;

  constructor(run: Run, plan: Plan, request: JsonObject, route: Route) {
    this.route = route;
    this.#run = run;
    this.#key = route.destination.provider.key;
    this.#sent = run.services.bodies.write({ ...request, model: route.target.model });
    recordRoute(run, route);
    if (plan.notes.length > 0) run.record.notes = plan.notes;
  }

  get isWhole(): boolean {
    return this.#reader?.isWhole === true;
  }

  createAttempt(key: ProviderKey): Attempt {
    this.#key = key;
    recordKey(this.#run, this.route, key);
    const { services, incoming, record } = this.#run;
    const { target, destination } = this.route;
    const { idleTimeoutMs, usageWaitMs } = target.settings;
    const request = {
      model: target.model,
      body: this.#sent,
      stream: record.stream,
      authorization: authorizationFor(services, incoming, destination.provider, key),
    };
    this.#reader = new RelayReader();
    return { request, reader: this.#reader, idleTimeoutMs, usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#run;
    return createFailureContext(services, this.route, this.#key, 0, incoming);
  }

  heal(): boolean {
    return false;
  }

  bodyOf(output: string): string {
    return output;
  }

  record(): void {
    const { record } = this.#run;
    const reader = this.#reader;
    record.upstreamModel = reader?.upstreamModel ?? record.upstreamModel;
    if (reader?.usage === undefined) return;
    recordUsage(record, reader.usage, reader.outcome.ended);
  }
}
