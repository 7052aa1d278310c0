import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { Secret } from '../../../src/core/secret.ts';
import { terminalSafe } from '../../../src/core/text.ts';
import { type Place, placeName, valueAt } from './settingsText.ts';

const SECRET_NAME = /TOKEN$|KEY$|HEADERS$|SECRET|PASSWORD|apiKeyHelper/;

/** A value as it may be shown: what can be a key is masked. */
function show({ key }: Place, value: Json | undefined): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const isSecret = SECRET_NAME.test(key) && !['', 'unused'].includes(text);
  return terminalSafe(isSecret ? new Secret(text).masked : text);
}

/** What changes at the given places: `+ NAME = new`, `- NAME = old`; variables that are only switched off in one line. */
export function describeDifference(before: JsonObject, after: JsonObject, places: readonly Place[]): string[] {
  const changed = places.filter((place) => !isDeepStrictEqual(valueAt(before, place), valueAt(after, place)));
  const isOff = (place: Place) => valueAt(before, place) === undefined && valueAt(after, place) === '';
  const lines = changed
    .filter((place) => !isOff(place))
    .flatMap((place) =>
      [
        { sign: '-', value: valueAt(before, place) },
        { sign: '+', value: valueAt(after, place) },
      ]
        .filter(({ value }) => value !== undefined)
        .map(({ sign, value }) => `${sign} ${placeName(place)} = ${show(place, value)}`),
    );
  const off = changed.filter(isOff).map(placeName);
  return off.length === 0 ? lines : [...lines, `+ empty, so that they have no effect: ${off.join(', ')}`];
}
