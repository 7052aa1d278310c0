import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../../src/core/json.ts';
import { Failure } from '../exitCodes.ts';
import { parseSettings } from './projectFile.ts';
import type { ProjectRecord } from './projectRecord.ts';
import { formatSettings, type Place, placeName, placesOf, valueAt, withValue } from './settingsText.ts';

/**
 * The project's file as it was before `use`: the very text when nobody else has changed it since, else what it now is with
 * our values replaced by those from before.
 * @param present Undefined when the file is gone.
 * @returns undefined when there should be no file
 * @throws Failure when somebody has changed our values.
 */
export function takeBack(record: ProjectRecord, present: string | undefined): string | undefined {
  const original = record.original ?? undefined;
  if (present === undefined || present === record.written) return original;
  const now = parseSettings(record.file, present);
  const before = parseSettings(record.file, original);
  const places = placesOf(record.settings);
  const isKnown = (place: Place) =>
    [record.settings, before].some((settings) => isDeepStrictEqual(valueAt(now, place), valueAt(settings, place)));
  const changed = places.filter((place) => !isKnown(place));
  if (changed.length > 0) {
    throw new Failure(
      `${record.file} was changed since by somebody else, in ${changed.map(placeName).join(', ')}; nothing is changed.\n` +
        'Put them back to what they were before by hand, or take them out if they were not there; then ./manage unuse does the rest.',
    );
  }
  const settings = places.reduce<JsonObject>((all, place) => withValue(all, place, valueAt(before, place)), now);
  return Object.keys(settings).length === 0 && original === undefined ? undefined : formatSettings(settings, present);
}
