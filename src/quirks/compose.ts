import type { JsonObject } from '../core/json.ts';
import { MISSING_REASONING } from '../protocol/delta.ts';
import type { ChatRequest } from '../protocol/openai/types.ts';
import { composeDeltaRepair } from './delta/composeDeltaRepair.ts';
import { dropCacheControl } from './native/dropCacheControl.ts';
import { dropIdleEffort } from './native/dropIdleEffort.ts';
import { requireThinking } from './native/requireThinking.ts';
import type { Repairs } from './repairs.ts';
import { dropParams } from './request/dropParams.ts';
import { ensureUser } from './request/ensureUser.ts';
import { mergeBody } from './request/mergeBody.ts';
import { toMfjsSchema } from './schema/mfjs.ts';
import { toOpenaiSchema } from './schema/openai.ts';
import { toOpenapiSchema } from './schema/openapi.ts';
import type { QuirkSettings } from './settings.ts';

const schemaDialects = { openai: toOpenaiSchema, openapi: toOpenapiSchema, mfjs: toMfjsSchema };

/** The repairs that a provider's settings ask for, as one chain each for schemas, requests and deltas. */
export function composeRepairs(settings: QuirkSettings): Repairs {
  const steps = requestSteps(settings);
  const nativeSteps = nativeRequestSteps(settings);
  return {
    toolSchema: schemaDialects[settings.schema],
    request: (body) => steps.reduce((repaired, step) => step(repaired), body),
    nativeRequest: (body) => nativeSteps.reduce((repaired, step) => step(repaired), body),
    createDeltaRepair: composeDeltaRepair(settings),
  };
}

type RequestStep = (body: ChatRequest) => ChatRequest;

/** What is merged comes after what is dropped, so that a user can put a field back. */
function requestSteps({ needsUser, dropParams: dropped, extraBody, streamBody }: QuirkSettings): RequestStep[] {
  const steps: RequestStep[] = [];
  if (needsUser) steps.push(ensureUser);
  if (dropped.length > 0) steps.push((body) => dropParams(body, dropped));
  if (extraBody !== undefined) steps.push((body) => mergeBody(body, extraBody));
  if (streamBody !== undefined) steps.push((body) => (body['stream'] === true ? mergeBody(body, streamBody) : body));
  return steps;
}

type NativeStep = (body: JsonObject) => JsonObject;

function nativeRequestSteps(settings: QuirkSettings): NativeStep[] {
  const { dropParams: dropped, reasoningRequired, extraBody } = settings;
  const steps: NativeStep[] = [];
  if (settings.effortNeedsThinking) steps.push(dropIdleEffort);
  if (reasoningRequired !== 'no')
    steps.push((body) => requireThinking(body, reasoningRequired === 'empty' ? '' : MISSING_REASONING));
  if (settings.dropCacheControl) steps.push(dropCacheControl);
  if (dropped.length > 0) steps.push((body) => dropParams(body, dropped));
  if (extraBody !== undefined) steps.push((body) => mergeBody(body, extraBody));
  return steps;
}
