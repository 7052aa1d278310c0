import type { JsonObject } from '../../core/json.ts';
import { type QuirkSettings, settingTable } from '../../quirks/settings.ts';
import { readQuirkMapping } from '../document/mappings.ts';
import type { Report } from '../report.ts';
import type { ModelEntry } from './readEntries.ts';

const STRENGTHS: readonly string[] = settingTable.defaultEffort.values;

/** The configured effort is the one where the client names none, and the most that is sent. */
function effortSettings(effort: string, base: QuirkSettings): Partial<QuirkSettings> {
  const weaker = base.efforts.filter((one) => STRENGTHS.indexOf(one) < STRENGTHS.indexOf(effort));
  return {
    efforts: [...weaker, effort],
    defaultEffort: effort as QuirkSettings['defaultEffort'],
    ...(base.reasoningStyle === 'none' ? { reasoningStyle: 'effort' } : {}),
  };
}

/**
 * What an entry says of its model, as settings to be laid over those of its provider.
 * @param base The settings of the provider for the model.
 */
export function entrySettings(entry: ModelEntry, base: QuirkSettings, report: Report): Partial<QuirkSettings> {
  const { values } = entry;
  const contextWindow = values.context ?? values.max_input_tokens;
  const body: JsonObject = {
    ...(values.temperature === undefined ? {} : { temperature: values.temperature }),
    ...(values.enable_thinking === false && base.reasoningStyle === 'enable_thinking'
      ? { enable_thinking: false }
      : {}),
    ...values.extra_body,
  };
  return {
    ...(values.max_tokens === undefined ? {} : { maxOutput: values.max_tokens }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(values.can_stream === undefined ? {} : { upstreamStream: values.can_stream }),
    ...(values.enable_thinking === true ? { reasoningStyle: 'enable_thinking' } : {}),
    ...(values.reasoning_effort === undefined ? {} : effortSettings(values.reasoning_effort, base)),
    ...(Object.keys(body).length === 0 ? {} : { extraBody: { ...base.extraBody, ...body } }),
    ...readQuirkMapping(values.quirks, (name) => entry.place('quirks', name), report),
  };
}
