import type { Tiers } from '../providers/preset.ts';
import type { Choices } from './chooseValues.ts';
import type { Router } from './config.ts';
import type { Report } from './report.ts';
import { type KnownNames, tierName } from './tierName.ts';

/**
 * The three models by the names that routing knows: as they are written, else the provider's own. A big model of the user's own
 * replaces the middle one too, so that one line moves both.
 * @param own the provider's models, if it has any
 * @param router its targets stand in for models that are not written
 */
export function chooseTiers(
  choices: Choices,
  own: Tiers | undefined,
  router: Router,
  known: KnownNames,
  report: Report,
): Tiers | undefined {
  const read = (key: 'BIG_MODEL' | 'MIDDLE_MODEL' | 'SMALL_MODEL') => {
    const choice = choices.get(key);
    return choice && tierName(choice.value, choice, known, report);
  };
  const big = read('BIG_MODEL') ?? router.default;
  const middle = read('MIDDLE_MODEL') ?? big;
  const small = read('SMALL_MODEL') ?? router.background;
  if (own !== undefined) return { big: big ?? own.big, middle: middle ?? own.middle, small: small ?? own.small };
  if (big !== undefined) return { big, middle: middle ?? big, small: small ?? middle ?? big };
  const name = known.providers[0]?.name;
  report.error({ key: 'BIG_MODEL' }, 'nothing', `Name the model to use; ${name} has none of its own.`);
  return undefined;
}
