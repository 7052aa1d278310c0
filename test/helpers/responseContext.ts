import { ApiError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { UpstreamErrorBody } from '../../src/protocol/openai/errors.ts';
import { composeDeltaRepair } from '../../src/quirks/compose.ts';
import { mergeSettings, type QuirkSettings } from '../../src/quirks/settings.ts';
import { createToolNames } from '../../src/translate/request/toolNames.ts';
import type { ResponseContext } from '../../src/translate/response/context.ts';
import { type FailureContext, failureOfBody } from '../../src/upstream/errors.ts';
import { presetNamed, presetSettings } from './presetSettings.ts';

/** What a test may say about the request of an answer; everything has a default. */
export interface ContextOptions {
  /** Name of a preset; the settings are then those of the model there, and `source` says where the shape is documented. */
  preset?: string;
  model?: string;
  protocol?: 'chat' | 'responses';
  source?: string;
  settings?: Partial<QuirkSettings>;
  /** Input schemas by tool name. */
  tools?: Record<string, JsonObject>;
  stopSequences?: string[];
  maxTokens?: number;
  safeguardResults?: JsonObject[];
}

/** A context whose ids count up: toolu_1, toolu_2, ... */
export function createResponseContext(options: ContextOptions = {}): ResponseContext {
  const { preset, model = 'test-model' } = options;
  const settings =
    preset === undefined ? mergeSettings(options.settings ?? {}) : presetSettings(preset, model, options.settings);
  const tools = options.tools ?? {};
  let created = 0;
  return {
    messageId: 'msg_test',
    requestedModel: 'claude-test',
    protocol: options.protocol ?? 'chat',
    provider: preset ?? 'test',
    reasoningFingerprint: options.protocol === 'responses' ? '0a1b2c3d' : '',
    inputEstimate: 7,
    settings,
    toolNames: createToolNames(Object.keys(tools), [], settings.toolNameMax),
    offeredTools: new Map(Object.entries(tools).map(([name, schema]) => [name, { schema }])),
    stopSequences: options.stopSequences ?? [],
    ...(options.maxTokens === undefined ? {} : { maxTokens: options.maxTokens }),
    ...(options.safeguardResults === undefined ? {} : { safeguardResults: options.safeguardResults }),
    createToolId: () => {
      created += 1;
      return `toolu_${created}`;
    },
    deltaRepair: composeDeltaRepair(settings)?.(),
    toApiError:
      preset === undefined ? toApiError : (body) => failureOfBody(body, body.status, failureContext(preset, settings)),
  };
}

function failureContext(preset: string, settings: QuirkSettings): FailureContext {
  return {
    provider: preset,
    keyName: 'OPENAI_API_KEY',
    model: 'test-model',
    inputEstimate: 7,
    contextWindow: settings.contextWindow,
    errorCodes: presetNamed(preset).errorCodes ?? {},
    redact: (text) => text,
    now: 0,
  };
}

/** Stands for the gateway's own mapping: enough to see which facts reach it. */
function toApiError(error: UpstreamErrorBody): ApiError {
  const facts = [error.status, error.code, error.type].filter((fact) => fact !== undefined).join(' ');
  return new ApiError(error.status === 429 ? 'rate_limited' : 'overloaded', `[test ${facts}] ${error.message}`);
}
