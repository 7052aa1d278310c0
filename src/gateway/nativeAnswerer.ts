import type { ProviderKey } from '../config/config.ts';
import { createToolInputRepair } from '../quirks/native.ts';
import { type FailureContext, failureOfBody } from '../upstream/errors.ts';
import type { Answerer, Attempt } from './answerer.ts';
import { createFailureContext } from './failureContext.ts';
import { PassthroughReader } from './passthroughReader.ts';
import { passthroughBody, passthroughCredentials, passthroughHeaders } from './passthroughRequest.ts';
import type { Plan } from './planRequest.ts';
import { recordUsage } from './recordUsage.ts';
import type { RequestBody } from './requestBody.ts';
import type { Route } from './route.ts';
import { type Run, recordKey, recordRoute } from './run.ts';
import { ToolInputFrames } from './toolInputFrames.ts';

/**
 * Answers a Messages request from a provider that speaks the Messages API itself: the request goes there as the client wrote it, but
 * for the model, and the answer comes back as the provider wrote it. Only a provider's named repairs change more.
 */
export class NativeAnswerer implements Answerer {
  readonly mayRepeatEmpty = false;
  readonly route: Route;
  readonly #run: Run;
  readonly #body: RequestBody;
  readonly #sent: Buffer;
  #key: ProviderKey;
  #reader: PassthroughReader | undefined;

  constructor(run: Run, plan: Plan, body: RequestBody, route: Route) {
    this.route = route;
    this.#run = run;
    this.#body = body;
    this.#key = route.destination.provider.key;
    this.#sent = passthroughBody(body, route.target, run.services.bodies);
    recordRoute(run, route);
    // In place of what was noted for a candidate before this one.
    run.record.droppedFields = undefined;
    run.record.notes = plan.notes.length > 0 ? plan.notes : undefined;
  }

  get isWhole(): boolean {
    return this.#reader?.isWhole === true;
  }

  createAttempt(key: ProviderKey): Attempt {
    this.#key = key;
    recordKey(this.#run, this.route, key);
    const { services, incoming, record } = this.#run;
    const { target, destination } = this.route;
    const { settings, model } = target;
    const { authorization, headers } = passthroughCredentials(services, incoming, destination.provider, key);
    const request = {
      model,
      body: this.#sent,
      stream: record.stream,
      suffix: incoming.forwarded.query,
      headers: { ...passthroughHeaders(incoming, settings), ...headers },
      authorization,
    };
    const reader = new PassthroughReader(
      (errorBody) => failureOfBody(errorBody, errorBody.status, this.failureContext()),
      settings.unwrapToolInput ? new ToolInputFrames(createToolInputRepair(this.#body.object['tools'])) : undefined,
    );
    this.#reader = reader;
    return { request, reader, idleTimeoutMs: settings.idleTimeoutMs, usageWaitMs: settings.usageWaitMs };
  }

  failureContext(): FailureContext {
    const { services, incoming } = this.#run;
    const measured = this.#body.measuredIfReadable;
    const estimate = measured === undefined ? 0 : services.calibration.estimate(this.route.target.model, measured);
    return createFailureContext(services, this.route, this.#key, estimate, incoming);
  }

  heal(): boolean {
    return false;
  }

  bodyOf(output: string): string {
    return output;
  }

  /** Learns from the provider's own count, too (R502). */
  record(): void {
    const { record, services } = this.#run;
    const reader = this.#reader;
    if (reader === undefined) return;
    record.upstreamModel = reader.upstreamModel ?? record.upstreamModel;
    record.stopReason = reader.stopReason;
    const { usage } = reader;
    if (usage === undefined) return;
    recordUsage(record, usage, reader.outcome.ended);
    const measured = reader.outcome.ended ? this.#body.measuredIfReadable : undefined;
    if (measured === undefined) return;
    const promptTokens = usage.input + usage.cacheRead + usage.cacheCreation;
    services.calibration.observe(this.route.target.model, measured, promptTokens);
  }
}
