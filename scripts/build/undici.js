// What the bundle holds of undici (scripts/build/bundler.ts). The package's own index also evaluates fetch, WebSocket, EventSource,
// caches and mocks, none of which a proxy uses: 11 ms of each start. To import anything else from undici fails the build.
import connect from 'undici/lib/api/api-connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';

// As the index does: a network proxy is asked for a tunnel with it.
Dispatcher.prototype.connect = connect;

export { default as buildConnector } from 'undici/lib/core/connect.js';
export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js';
