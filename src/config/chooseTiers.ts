import type { Preset, Tiers } from '../providers/preset.ts';
import type { Report } from './report.ts';
import type { Values } from './schema.ts';

/** The three models. A big model of the user's own replaces the middle one too, so that one line moves both. */
export function chooseTiers(values: Values, preset: Preset, report: Report): Tiers | undefined {
  const { BIG_MODEL: big, MIDDLE_MODEL: middle, SMALL_MODEL: small } = values;
  const own = preset.tiers;
  if (own !== undefined) return { big: big ?? own.big, middle: middle ?? big ?? own.middle, small: small ?? own.small };
  if (big !== undefined) return { big, middle: middle ?? big, small: small ?? middle ?? big };
  report.error({ key: 'BIG_MODEL' }, 'nothing', `Name the model to use; ${preset.name} has none of its own.`);
  return undefined;
}
