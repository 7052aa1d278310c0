import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { ActiveServices } from '../../../src/gateway/configSwap.ts';
import { type Backend, Backends, ResolvedModels, type Services } from '../../../src/gateway/services.ts';
import { ConcurrencyLimiter } from '../../../src/resilience/concurrencyLimiter.ts';
import { type Settings, testConfig } from '../../helpers/startApp.ts';

/** Services without anything but their servers, which note when they are closed. */
function servers() {
  const closed: string[] = [];
  const connections = {
    connect: (provider: Config['provider'], limiter = new ConcurrencyLimiter(0, 0)) =>
      ({
        provider,
        limiter,
        upstream: {
          close: async () => {
            closed.push(provider.baseUrl);
          },
        },
      }) as unknown as Backend,
  };
  const servicesOf = (settings: Settings, before?: Services): Services => {
    const config = testConfig(settings);
    const all = config.providers.map(({ provider }) => provider);
    const backends = before?.backends.renew(connections, all) ?? new Backends(connections);
    const hooks = { close: async () => {} };
    const services = { config, backends, models: new ResolvedModels(config), hooks } as unknown as Services;
    backends.of(config.provider);
    return services;
  };
  return { closed, servicesOf };
}

const at = (name: string, fields: Settings = {}) => ({
  OPENAI_BASE_URL: `https://${name}.example/v1`,
  BIG_MODEL: 'large',
  ...fields,
});
const backendOf = ({ backends, config }: Services) => backends.of(config.provider);

test('a provider that stays as it is keeps its connections; nothing is closed', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const active = new ActiveServices(first);
  const second = servicesOf(at('a', { LOG_LEVEL: 'debug' }), first);
  active.replace(second);
  expect(backendOf(second)).toBe(backendOf(first));
  expect([active.current, closed]).toEqual([second, []]);
});

test.each<[string, Settings]>([
  ['address', at('b')],
  ['key', at('a', { OPENAI_API_KEY: 'another-key-of-the-provider' })],
  ['header', at('a', { CUSTOM_HEADER_X_TEAM: 'red' })],
  ['quirk', at('a', { QUIRK_DROP_PARAMS: 'user' })],
])('a provider with another %s gets connections of its own, and the old are closed', (_what, settings) => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const active = new ActiveServices(first);
  const second = servicesOf(settings, first);
  active.replace(second);
  expect(backendOf(second)).not.toBe(backendOf(first));
  expect(closed).toEqual(['https://a.example/v1']);
});

test('old connections are closed when the last request that works with them has ended, and once', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const active = new ActiveServices(first);
  const releases = [active.lease(first), active.lease(first)];
  const second = servicesOf(at('b'), first);
  active.replace(second);
  releases[0]?.();
  releases[0]?.();
  expect(closed).toEqual([]);
  releases[1]?.();
  expect(closed).toEqual(['https://a.example/v1']);
});

test('what a request of an earlier configuration still works with stays, also when one between has gone', () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const active = new ActiveServices(first);
  const release = active.lease(first);
  const second = servicesOf(at('a', { LOG_LEVEL: 'debug' }), first);
  active.replace(second);
  active.replace(servicesOf(at('b'), second));
  expect(closed).toEqual([]);
  release();
  expect(closed).toEqual(['https://a.example/v1']);
});

test('the end closes every connection, of old configurations too, each once', async () => {
  const { closed, servicesOf } = servers();
  const first = servicesOf(at('a'));
  const active = new ActiveServices(first);
  active.lease(first);
  const second = servicesOf(at('b'), first);
  active.replace(second);
  await active.close();
  expect(closed.toSorted()).toEqual(['https://a.example/v1', 'https://b.example/v1']);
});

test('with another key the place in the queue of the same server stays, also over a configuration in which nobody asked', () => {
  const { servicesOf } = servers();
  const first = servicesOf(at('a'));
  const { limiter } = backendOf(first);
  limiter.acquire(() => {});
  const idle = { ...first, backends: first.backends.renew({ connect: () => backendOf(first) }, []) };
  const third = servicesOf(at('a', { OPENAI_API_KEY: 'another-key-of-the-provider' }), idle);
  expect(backendOf(third).limiter).toBe(limiter);
  expect(backendOf(servicesOf(at('b'), third)).limiter).not.toBe(limiter);
});
