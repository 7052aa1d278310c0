import type { JsonObject } from '../core/json.ts';
import type { Destination } from './destinations.ts';
import { keyLabel } from './keyLabels.ts';
import type { Services } from './services.ts';

const isoTime = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());

function describeKeys({ keys }: Destination): JsonObject[] {
  const states = keys.list();
  const all = states.map(({ key }) => key);
  return states.map(({ key, rest }) => ({
    label: keyLabel(all, key),
    source: key.source,
    state: rest === undefined ? 'ready' : 'resting',
    until: isoTime(rest?.endsAt),
    reason: rest?.reason ?? null,
  }));
}

/** The providers of an instance as `GET /health` shows them, in the order of their priority; no secrets. */
export function describeProviders({ config, destinations, clock }: Services): JsonObject[] {
  return config.providers.map(({ name, provider, priority, models }) => {
    const destination = destinations.of(provider);
    const { answeredAt, state } = destination.breaker;
    return {
      name,
      priority,
      base_url: provider.baseUrl,
      models: { big: [...models.big], middle: [...models.middle], small: [...models.small] },
      circuit: state,
      keys: describeKeys(destination),
      last_answer_at: isoTime(answeredAt === undefined ? undefined : clock.now() - (clock.monotonic() - answeredAt)),
    };
  });
}
