import type { Preset, Tiers } from '../providers/preset.ts';
import type { Choices } from './chooseValues.ts';
import type { Report } from './report.ts';
import type { Values } from './schema.ts';
import { type KnownNames, tierName } from './tierName.ts';

/** The models as they are written, or the preset's. A big model of the user's own replaces the middle one too, so that one line moves both. */
function writtenTiers(values: Values, preset: Preset, report: Report): Tiers | undefined {
  const { BIG_MODEL: big, MIDDLE_MODEL: middle, SMALL_MODEL: small } = values;
  const own = preset.tiers;
  if (own !== undefined) return { big: big ?? own.big, middle: middle ?? big ?? own.middle, small: small ?? own.small };
  if (big !== undefined) return { big, middle: middle ?? big, small: small ?? middle ?? big };
  report.error({ key: 'BIG_MODEL' }, 'nothing', `Name the model to use; ${preset.name} has none of its own.`);
  return undefined;
}

/** The three models by the names that routing knows. */
export function chooseTiers(
  values: Values,
  choices: Choices,
  preset: Preset,
  known: KnownNames,
  report: Report,
): Tiers | undefined {
  const written = writtenTiers(values, preset, report);
  if (written === undefined) return undefined;
  // Several tiers may have one line's model, of which is told once.
  const names = new Map<string, string>();
  const resolve = (tier: keyof Tiers, key: 'BIG_MODEL' | 'MIDDLE_MODEL' | 'SMALL_MODEL') => {
    const name = names.get(written[tier]) ?? tierName(written[tier], choices.get(key) ?? { key }, known, report);
    names.set(written[tier], name);
    return name;
  };
  return {
    big: resolve('big', 'BIG_MODEL'),
    middle: resolve('middle', 'MIDDLE_MODEL'),
    small: resolve('small', 'SMALL_MODEL'),
  };
}
