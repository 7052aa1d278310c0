import type { ApiError } from '../core/errors.ts';
import { createTranslator, type Translator } from '../translate/stream/translator.ts';
import { type FailureContext, failureOfBody } from '../upstream/failure.ts';
import type { Attempt } from './attempts.ts';
import { createFailureContext } from './failureContext.ts';
import { healingFor } from './healing.ts';
import { mintId } from './mintId.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { Run } from './run.ts';
import type { IncomingRequest, Services } from './services.ts';

/** One translated request and the means to read its answer; it changes when the provider refuses a part of it. */
export class Conversation {
  readonly #services: Services;
  readonly #incoming: IncomingRequest;
  readonly #output: 'events' | 'message';
  #prepared: Prepared;

  constructor({ services, incoming }: Run, prepared: Prepared, output: 'events' | 'message') {
    this.#services = services;
    this.#incoming = incoming;
    this.#prepared = prepared;
    this.#output = output;
  }

  get prepared(): Prepared {
    return this.#prepared;
  }

  readonly createAttempt = (): Attempt<Translator> => {
    const { translated, route } = this.#prepared;
    const { target } = route;
    const { idleTimeoutMs, usageWaitMs } = target.settings;
    return {
      model: target.model,
      body: JSON.stringify(translated.body),
      stream: translated.body['stream'] === true,
      reader: this.#createTranslator(),
      idleTimeoutMs,
      usageWaitMs,
    };
  };

  readonly failureContext = (): FailureContext => {
    const { route, inputEstimate } = this.#prepared;
    return createFailureContext(this.#services, route, inputEstimate, this.#incoming);
  };

  /** Leaves out what the provider refused, and remembers it (R413). */
  readonly heal = (error: ApiError): boolean => {
    const { request, route, translated } = this.#prepared;
    const { target } = route;
    const healing = healingFor(error, translated.body, target.settings);
    if (healing === undefined) return false;
    const learned = this.#services.targets.learn(route.name, healing.settings);
    this.#services.logger.warn(
      `the provider refused a part of the request, which is changed from now on; to keep it so, set ${healing.advice}`,
      { model: target.model, refusal: error.message },
    );
    this.#prepared = prepare(this.#services, request, { ...route, target: learned });
    return true;
  };

  #createTranslator(): Translator {
    const { request, translated, route, inputEstimate } = this.#prepared;
    const { target } = route;
    return createTranslator(
      {
        messageId: mintId('msg_'),
        requestedModel: request.model,
        provider: target.provider,
        inputEstimate,
        settings: target.settings,
        toolNames: translated.toolNames,
        offeredTools: translated.offeredTools,
        stopSequences: translated.stopSequences,
        ...(translated.maxTokens === undefined ? {} : { maxTokens: translated.maxTokens }),
        ...(translated.safeguardResults === undefined ? {} : { safeguardResults: translated.safeguardResults }),
        mintToolId: () => mintId('toolu_'),
        deltaRepair: target.repairs.createDeltaRepair(),
        toApiError: (body) => failureOfBody(body, body.status, this.failureContext()),
      },
      this.#output,
    );
  }
}
