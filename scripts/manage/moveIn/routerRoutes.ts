import { asNumber, asString, type JsonObject } from '../../../src/core/json.ts';
import type { RouterProvider } from './routerProvider.ts';

/** A model of a provider. */
export interface RouterTarget {
  readonly provider: string;
  readonly model: string;
}

/** The routes of claude-code-router by what they become here. */
export interface RouterRoutes {
  readonly big: RouterTarget | undefined;
  readonly small: RouterTarget | undefined;
  /** Lines of the env file. */
  readonly settings: readonly (readonly [key: string, value: string])[];
}

/** The routes that are settings here; `default` and `background` become the models of the tiers. */
const SETTINGS: Readonly<Record<string, string>> = {
  think: 'ROUTER_THINK',
  longContext: 'ROUTER_LONG_CONTEXT',
  webSearch: 'ROUTER_WEB_SEARCH',
  image: 'ROUTER_IMAGE',
};
const KNOWN = new Set(['default', 'background', 'longContextThreshold', ...Object.keys(SETTINGS)]);

/** From so many tokens on it asks its longContext model, where the file does not say. */
const USUAL_THRESHOLD = 60_000;

/** @param tell Takes what could not be carried over of a route, by its name. */
export function readRoutes(
  router: JsonObject,
  providers: readonly RouterProvider[],
  tell: (route: string, reason: string) => void,
): RouterRoutes {
  const readTarget = (route: string): RouterTarget | undefined => {
    const written = asString(router[route]) ?? '';
    if (written === '') return undefined;
    const [provider = '', ...rest] = written.split(',');
    const model = rest.join(',');
    if (model !== '' && providers.some(({ name }) => name === provider)) return { provider, model };
    tell(route, `"${written}" names none of the providers`);
    return undefined;
  };
  const text = ({ provider, model }: RouterTarget) => `${provider},${model}`;

  const big = readTarget('default');
  const small = readTarget('background') ?? big;
  const routed = Object.entries(SETTINGS).flatMap(([route, key]) => {
    const target = readTarget(route);
    return target === undefined ? [] : [[key, text(target)] as const];
  });
  const threshold = asNumber(router['longContextThreshold']) ?? USUAL_THRESHOLD;
  for (const name of Object.keys(router)) if (!KNOWN.has(name)) tell(name, 'means nothing here');
  return {
    big,
    small,
    settings: [
      ...(big === undefined ? [] : [['BIG_MODEL', text(big)] as const, ['MIDDLE_MODEL', text(big)] as const]),
      ...(small === undefined ? [] : [['SMALL_MODEL', text(small)] as const]),
      ...routed,
      ...(routed.some(([key]) => key === SETTINGS['longContext'])
        ? [['LONG_CONTEXT_THRESHOLD', String(threshold)] as const]
        : []),
    ],
  };
}
