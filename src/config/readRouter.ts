import type { Choices } from './chooseValues.ts';
import type { Config, Router } from './config.ts';
import type { Row } from './describeProvider.ts';
import type { Report } from './report.ts';
import { type KnownNames, routerName } from './tierName.ts';

const routes = [
  ['ROUTER_DEFAULT', 'default'],
  ['ROUTER_BACKGROUND', 'background'],
  ['ROUTER_THINK', 'think'],
  ['ROUTER_LONG_CONTEXT', 'longContext'],
  ['ROUTER_IMAGE', 'image'],
  ['ROUTER_SUBAGENT', 'subagent'],
  ['ROUTER_WEB_SEARCH', 'webSearch'],
] as const satisfies readonly (readonly [string, keyof Router])[];

/** The targets of ROUTER_* by the names that routing knows. */
export function readRouter(choices: Choices, known: KnownNames, report: Report): Router {
  return Object.fromEntries(
    routes.flatMap(([key, route]) => {
      const choice = choices.get(key);
      const name = choice && routerName(choice.value, choice, known, report);
      return name === undefined ? [] : [[route, name]];
    }),
  );
}

/** The lines of the router that there are. */
export function describeRouter({ router, longContextThreshold }: Config): readonly Row[] {
  return routes.flatMap(([key, route]): readonly Row[] => {
    const name = router[route];
    if (name === undefined) return [];
    return [['router', `${key}=${name}${route === 'longContext' ? `, from ${longContextThreshold} tokens on` : ''}`]];
  });
}
