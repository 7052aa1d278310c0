import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { Live } from '../../../src/gateway/configSwap.ts';
import { type Destination, Destinations, type Services, Targets } from '../../../src/gateway/services.ts';
import { Gate } from '../../../src/resilience/concurrencyLimiter.ts';
import { type Settings, testConfig } from '../../helpers/startApp.ts';

/** Services without anything but their servers, which tell when they are closed. */
function servers() {
  const closed: string[] = [];
  const connections = {
    connect: (provider: Config['provider'], gate = new Gate(0, 0)) =>
      ({
        provider,
        gate,
        upstream: {
          close: async () => {
            closed.push(provider.baseUrl);
          },
        },
      }) as unknown as Destination,
  };
  const servicesOf = (settings: Settings, before?: Services): Services => {
    const config = testConfig(settings);
    const all = config.providers.map(({ provider }) => provider);
    const destinations = before?.destinations.renew(connections, all) ?? new Destinations(connections);
    const hooks = { close: async () => {} };
    const services = { config, destinations, targets: new Targets(config), hooks } as unknown as Services;
    destinations.of(config.provider);
    return services;
  };
  return { closed, servicesOf };
}

const at = (name: string, fields: Settings = {}) => ({
  OPENAI_BASE_URL: `https://${name}.example/v1`,
  BIG_MODEL: 'large',
  ...fields,
});
const destinationOf = ({ destinations, config }: Services) => destinations.of(config.provider);

test('a provider that stays as it is keeps its connections; nothing is closed', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const live = new Live(first);
  const second = servicesOf(at('a', { LOG_LEVEL: 'debug' }), first);
  live.replace(second);
  expect(destinationOf(second)).toBe(destinationOf(first));
  expect([live.current, closed]).toEqual([second, []]);
});

test.each<[string, Settings]>([
  ['address', at('b')],
  ['key', at('a', { OPENAI_API_KEY: 'another-key-of-the-provider' })],
  ['header', at('a', { CUSTOM_HEADER_X_TEAM: 'red' })],
  ['quirk', at('a', { QUIRK_DROP_PARAMS: 'user' })],
])('a provider with another %s gets connections of its own, and the old are closed', (_what, settings) => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const live = new Live(first);
  const second = servicesOf(settings, first);
  live.replace(second);
  expect(destinationOf(second)).not.toBe(destinationOf(first));
  expect(closed).toEqual(['https://a.example/v1']);
});

test('old connections are closed when the last request that works with them has ended, and once', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const live = new Live(first);
  const releases = [live.hold(first), live.hold(first)];
  const second = servicesOf(at('b'), first);
  live.replace(second);
  releases[0]?.();
  releases[0]?.();
  expect(closed).toEqual([]);
  releases[1]?.();
  expect(closed).toEqual(['https://a.example/v1']);
});

test('what a request of an earlier configuration still works with stays, also when one between has gone', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const live = new Live(first);
  const release = live.hold(first);
  const second = servicesOf(at('a', { LOG_LEVEL: 'debug' }), first);
  live.replace(second);
  live.replace(servicesOf(at('b'), second));
  expect(closed).toEqual([]);
  release();
  expect(closed).toEqual(['https://a.example/v1']);
});

test('the end closes every connection, of old configurations too, each once', async () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const live = new Live(first);
  live.hold(first);
  const second = servicesOf(at('b'), first);
  live.replace(second);
  await live.close();
  expect(closed.toSorted()).toEqual(['https://a.example/v1', 'https://b.example/v1']);
});

test('with another key the place in the queue of the same server stays, also over a configuration in which nobody asked', () => {
  const { servicesOf } = servers();
  const first = servicesOf(at('a'));
  const { gate } = destinationOf(first);
  gate.request(() => {});
  const idle = { ...first, destinations: first.destinations.renew({ connect: () => destinationOf(first) }, []) };
  const third = servicesOf(at('a', { OPENAI_API_KEY: 'another-key-of-the-provider' }), idle);
  expect(destinationOf(third).gate).toBe(gate);
  expect(destinationOf(servicesOf(at('b'), third)).gate).not.toBe(gate);
});
