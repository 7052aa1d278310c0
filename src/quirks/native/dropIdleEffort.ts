import { isObject, type JsonObject } from '../../core/json.ts';

/** The request without an effort beside disabled thinking, which some refuse; the same object when there is none. */
export function dropIdleEffort(body: JsonObject): JsonObject {
  const { thinking, output_config: outputConfig, ...rest } = body;
  if (!isObject(thinking) || thinking['type'] !== 'disabled') return body;
  if (!isObject(outputConfig) || outputConfig['effort'] === undefined) return body;
  const { effort: _effort, ...others } = outputConfig;
  return { ...rest, thinking, ...(Object.keys(others).length === 0 ? {} : { output_config: others }) };
}
