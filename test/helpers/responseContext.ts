import { ApiError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { UpstreamErrorBody } from '../../src/protocol/openai/errorBody.ts';
import { composeDeltaRepair } from '../../src/quirks/delta/composeDeltaRepair.ts';
import { mergeSettings, type QuirkSettings } from '../../src/quirks/settings.ts';
import type { ResponseContext } from '../../src/translate/stream/responseContext.ts';
import { createToolNames } from '../../src/translate/toolNames.ts';

/** What a test may say about the request of an answer; everything has a default. */
export interface ContextOptions {
  settings?: Partial<QuirkSettings>;
  /** Input schemas by tool name. */
  tools?: Record<string, JsonObject>;
  stopSequences?: string[];
  maxTokens?: number;
}

/** A context whose ids count up: toolu_1, toolu_2, ... */
export function createResponseContext(options: ContextOptions = {}): ResponseContext {
  const settings = mergeSettings(options.settings ?? {});
  const tools = options.tools ?? {};
  let minted = 0;
  return {
    messageId: 'msg_test',
    requestedModel: 'claude-test',
    provider: 'test',
    inputEstimate: 7,
    settings,
    toolNames: createToolNames(Object.keys(tools), [], settings.toolNameMax),
    offeredTools: new Map(Object.entries(tools)),
    stopSequences: options.stopSequences ?? [],
    ...(options.maxTokens === undefined ? {} : { maxTokens: options.maxTokens }),
    mintToolId: () => {
      minted += 1;
      return `toolu_${minted}`;
    },
    deltaRepair: composeDeltaRepair(settings)(),
    toApiError,
  };
}

/** Stands for the gateway's own mapping: enough to see which facts reach it. */
function toApiError(error: UpstreamErrorBody): ApiError {
  const facts = [error.status, error.code, error.type].filter((fact) => fact !== undefined).join(' ');
  return new ApiError(error.status === 429 ? 'rate_limited' : 'overloaded', `[test ${facts}] ${error.message}`);
}
