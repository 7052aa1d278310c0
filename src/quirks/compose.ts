import type { ChatRequest } from '../protocol/openai/request.ts';
import { composeDeltaRepair } from './delta/composeDeltaRepair.ts';
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
  return {
    toolSchema: schemaDialects[settings.schema],
    request: (body) => steps.reduce((repaired, step) => step(repaired), body),
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
