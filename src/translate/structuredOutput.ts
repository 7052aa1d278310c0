import { ApiError } from '../core/errors.ts';
import { asString, isObject, type JsonObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import type { Target } from './target.ts';

export interface StructuredOutput {
  /** Value of `response_format`. */
  readonly format: JsonObject;
  /** Text for the system prompt when the server cannot be given the schema otherwise. */
  readonly instruction?: string;
}

/**
 * The answer's JSON schema in the provider's words (R143).
 * @throws ApiError `capability_rejected` when the provider has no structured output: the client then asks without.
 */
export function structuredOutput(request: MessagesRequest, target: Target): StructuredOutput | undefined {
  const outputConfig = isObject(request['output_config']) ? request['output_config'] : {};
  const wanted = outputConfig['format'] ?? request['output_format'];
  if (!isObject(wanted) || wanted['type'] !== 'json_schema' || !isObject(wanted['schema'])) return undefined;
  const schema = target.repairs.toolSchema(wanted['schema']);
  switch (target.settings.jsonMode) {
    case 'schema':
      return {
        format: { type: 'json_schema', json_schema: { name: asString(wanted['name']) ?? 'answer', schema } },
      };
    case 'object':
      return {
        format: { type: 'json_object' },
        instruction: `Answer with one JSON object that matches this JSON Schema and with nothing else:\n${JSON.stringify(schema)}`,
      };
    case 'none':
      throw new ApiError('capability_rejected', 'capability_rejected: structured_outputs_unsupported');
  }
}
