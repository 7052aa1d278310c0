import { expect, test } from 'vitest';
import { instanceName } from '../../../src/config/config.ts';

test.each([
  ['/p/envs/kimi.env', 'kimi'],
  ['/p/.env-foo', 'foo'],
  ['/p/.env.foo', 'foo'],
  ['/p/My Proxy/.env', 'my-proxy'],
  ['/.env', 'default'],
  ['/p/Kimi K2 (new).env', 'kimi-k2-new'],
  ['/p/kimi--two.env', 'kimi-two'],
  ['/p/kimi.env.local', 'kimi.env.local'],
  ['/p/environment', 'environment'],
  ['/p/env', 'p'],
  ['/p/..env', 'p'],
  ['/p/日本.env', 'p'],
])('%s -> %s', (file, name) => {
  expect(instanceName(file)).toBe(name);
});
