import { expect, test } from 'vitest';
import { clientAddress, clientBaseUrl, reachableHost } from '../../../src/config/config.ts';

test.each([
  ['0.0.0.0', '127.0.0.1', '127.0.0.1:8081'],
  ['::', '::1', '[::1]:8081'],
  ['192.168.1.5', '192.168.1.5', '192.168.1.5:8081'],
])('a server on %s is reached at %s', (host, reachable, address) => {
  const config = { host, port: 8081 };
  expect([reachableHost(host), clientAddress(config), clientBaseUrl(config)]).toEqual([
    reachable,
    address,
    `http://${address}`,
  ]);
});
