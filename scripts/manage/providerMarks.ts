import { asString, isObject } from '../../src/core/json.ts';
import type { Health } from './health.ts';

/** What keeps a provider of `GET /health` from being asked as usual, in two words; undefined when nothing does. */
function markOf(provider: Readonly<Record<string, unknown>>): string | undefined {
  const circuit = asString(provider['circuit']);
  if (circuit !== undefined && circuit !== 'closed') return `circuit ${circuit}`;
  const keys = Array.isArray(provider['keys']) ? provider['keys'].filter(isObject) : [];
  const resting = keys.filter((key) => key['state'] === 'resting').length;
  if (resting === 0) return undefined;
  return keys.length === 1 ? 'key rests' : `${resting} of ${keys.length} keys rest`;
}

/** What is wrong with the providers behind an instance, named where there are several; '' when nothing is. */
export function providerMarks(health: Health | undefined): string {
  const listed = health?.body['providers'];
  const providers = Array.isArray(listed) ? listed.filter(isObject) : [];
  const marks = providers.flatMap((provider) => {
    const mark = markOf(provider);
    if (mark === undefined) return [];
    return [providers.length === 1 ? mark : `${asString(provider['name'])} ${mark}`];
  });
  return marks.join(', ');
}

/** How many providers follow the first. */
export function spareProviders(health: Health | undefined): number {
  const listed = health?.body['providers'];
  return Array.isArray(listed) ? Math.max(0, listed.length - 1) : 0;
}
