import { customId, splitPrefix } from '../core/modelName.ts';
import { nearestName } from '../core/nearestName.ts';
import type { CustomModel, ModelPrefixes } from './config.ts';
import type { Place, Report } from './report.ts';

/** What a model's name in the env file may refer to. */
export interface KnownNames {
  /** Name of the preset, for messages. */
  readonly provider: string;
  readonly customModels: ReadonlyMap<string, CustomModel>;
  /** By `customId`: every model that the models file has, also those that cannot be used. */
  readonly declared: ReadonlySet<string>;
  readonly prefixes: ModelPrefixes;
}

/** The name by which routing knows the model of a tier: `custom/ID` for one of the models file, else the provider's without a prefix. */
export function tierName(written: string, place: Place, known: KnownNames, report: Report): string {
  const { customModels, declared, prefixes } = known;
  const id = customId(written);
  const custom = customModels.get(id);
  if (custom !== undefined) return custom.name;
  if (declared.has(id)) {
    report.error(
      place,
      `${JSON.stringify(written)}, which the models file has, but which cannot be used`,
      'Mend what is told of it there.',
    );
    return written;
  }
  const own = splitPrefix(written, prefixes.own);
  if (own !== undefined) return own.rest;
  const other = splitPrefix(written, prefixes.other);
  if (other === undefined) return written;
  if (other.prefix === 'custom') {
    const nearest = nearestName(
      id,
      [...customModels.values()].map((model) => model.id),
    );
    report.error(
      place,
      `${JSON.stringify(written)}, which no models file has`,
      nearest === undefined ? 'Enter it into the models file (MODELS_FILE).' : `Did you mean custom/${nearest}?`,
    );
  } else
    report.warning(
      place,
      `${JSON.stringify(written)}, a model of another provider than ${known.provider}`,
      `${other.rest} is asked for; give each provider an instance of its own, or enter the model into a models file.`,
    );
  return other.rest;
}
