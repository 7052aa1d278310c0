/**
 * A fake of the compiled proxy in the manager's tests: the same behaviour towards PM2 and `./manage`, and on wish
 * misbehaviour, which is chosen by the instance's name: `slow` is ready only after a while, `never` does not become ready,
 * `crash` dies at start with a reason, `lasting` takes its time to drain.
 */
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatProblems } from '../../src/config/diagnostics.ts';
import { loadConfig } from '../../src/config/load.ts';

const { values } = parseArgs({ options: { env: { type: 'string' }, share: { type: 'boolean' } } });
const { config, problems } = loadConfig(values.env, process.env, process.cwd());
if (!config) {
  process.stderr.write(`${formatProblems(problems)}\n`);
  process.exit(78);
}

const misbehaviour = config.instance.split('-')[0];
if (misbehaviour === 'crash') {
  process.stderr.write('the fake proxy crashes at start, as its name demands\n');
  process.exit(1);
}
if (misbehaviour === 'slow') await pause(1200);
if (misbehaviour === 'never') await pause(60_000);

const startedAt = Date.now();
let state = 'serving';

function health() {
  const { preset, baseUrl, key } = config.provider;
  return {
    service: 'claude-code-proxy',
    instance: config.instance,
    pid: process.pid,
    host: config.host,
    port: config.port,
    started_at: new Date(startedAt).toISOString(),
    uptime_seconds: (Date.now() - startedAt) / 1000,
    version: '0.0.0-fake',
    config_hash: config.hash,
    state,
    provider: { name: preset.name, title: preset.title, base_url: baseUrl },
    models: config.tiers,
    key: key.source,
    in_flight: 0,
    requests: { total: 0, failed: 0, client_closed: 0 },
    tokens: {},
    last_success_at: null,
    last_error: null,
    log: { path: '', dropped: 0, healthy: true },
    memory_bytes: process.memoryUsage.rss(),
  };
}

const server = createServer((_request, response) => {
  response.writeHead(state === 'serving' ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(health()));
});
server.on('error', () => {
  process.stderr.write(`port ${config.port} is taken\n`);
  process.exit(78);
});
server.listen(config.port, config.host, () => {
  process.stdout.write(`${config.instance} listens on ${config.host}:${config.port}\n`);
  process.send?.('ready');
});

async function drain() {
  state = 'draining';
  if (misbehaviour === 'lasting') await pause(1000);
  process.stdout.write(`${config.instance} has drained\n`);
  process.exit(0);
}
process.on('SIGINT', drain);
process.on('SIGTERM', drain);
