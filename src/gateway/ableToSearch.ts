import { isWebSearchRequest } from '../translate/request/tools.ts';
import type { RequestBody } from './requestBody.ts';
import { isNative, routeTo } from './route.ts';
import type { Services } from './services.ts';

/** What is noted of a search that no candidate can do, which the proxy itself answers. */
export const SEARCH_REFUSED = 'web search refused';

/** Those candidates that can search the web, for a request that is nothing but a search; all for any other. */
export function ableToSearch(services: Services, candidates: readonly string[], body: RequestBody): readonly string[] {
  const isChat = (name: string) => !isNative(routeTo(services, name));
  if (!candidates.some(isChat) || !isWebSearchRequest(body.object)) return candidates;
  return candidates.filter((name) => !isChat(name) || services.targets.get(name).settings.webSearch === 'native');
}
