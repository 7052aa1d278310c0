import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { Collector as Sender } from '../../src/otlp/exporter.ts';
import type { OtlpTelemetry } from '../../src/otlp/telemetry.ts';
import { createAuthority, createCertificate } from '../helpers/certificate.ts';
import { attributesOf, type Collector, type ReceivedSpan, startCollector } from '../helpers/collector.ts';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SERVER = 2;
const CLIENT = 3;

const answered = json(200, {
  choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 60 } },
});
const broken = json(500, { error: { message: 'boom' } });

async function startUpstream(behaviour: Behaviour): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({ '*': behaviour });
  onTestFinished(() => upstream.close());
  return upstream;
}

async function collect(answer?: Parameters<typeof startCollector>[0]): Promise<Collector> {
  const collector = await startCollector(answer);
  onTestFinished(() => collector.close());
  return collector;
}

const custom = ({ url }: FakeUpstream, settings: Settings): Promise<TestApp> =>
  startApp({ PROVIDER: 'custom', OPENAI_BASE_URL: url, BIG_MODEL: 'big', MAX_RETRIES: '0', ...settings });

const ask = ({ url }: TestApp, headers: Record<string, string> = {}) => {
  const request = message('claude-opus-5');
  return call(`${url}/v1/messages`, { ...request, headers: { ...request.headers, ...headers } });
};
const otlpOf = async ({ url }: TestApp) => JSON.parse((await call(`${url}/health`)).text).otlp;

const named = (spans: readonly ReceivedSpan[], kind: number) => spans.filter((span) => span.kind === kind);

test('a request is a span below that of its client, an attempt one below it, and the provider gets the way to go on', async () => {
  const collector = await collect();
  const upstream = await startUpstream(answered);
  const app = await custom(upstream, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=canary%20of%20the%20collector',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,team=a%2Cb',
    OTEL_SERVICE_NAME: 'proxies',
  });
  await ask(app, { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1' });
  await app.close();
  const [request, ...others] = named(collector.spans, SERVER);
  const [attempt] = named(collector.spans, CLIENT);
  expect(others).toEqual([]);
  expect(request).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, name: 'chat claude-opus-5', status: {} });
  expect(attempt).toMatchObject({ traceId: TRACE, parentSpanId: request?.spanId, name: 'chat big', status: {} });
  expect(upstream.requests[0]?.headers).toMatchObject({
    traceparent: `00-${TRACE}-${attempt?.spanId}-01`,
    tracestate: 'vendor=1',
  });
  expect(attributesOf(request?.attributes ?? [])).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'custom',
    'gen_ai.request.model': 'claude-opus-5',
    'gen_ai.response.model': 'big',
    'gen_ai.usage.input_tokens': 100,
    'gen_ai.usage.cache_read.input_tokens': 60,
    'gen_ai.usage.output_tokens': 7,
    'gen_ai.response.finish_reasons': ['end_turn'],
    'http.response.status_code': 200,
    'claude_code_proxy.attempts': 1,
  });
  expect(attributesOf(attempt?.attributes ?? [])).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'custom',
    'gen_ai.request.model': 'big',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(upstream.url).port),
  });
  expect(BigInt(request?.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(BigInt(request?.startTimeUnixNano ?? 1));
  expect(collector.headers[0]).toMatchObject({
    'x-key': 'canary of the collector',
    'content-type': 'application/json',
  });
  expect(collector.resources[0]).toEqual({
    'service.name': 'proxies',
    'service.version': 'test',
    'service.instance.id': 'test',
    'deployment.environment.name': 'test',
    team: 'a,b',
  });
});

test('tokens and time are histograms, by provider and model', async () => {
  const collector = await collect();
  const app = await custom(await startUpstream(answered), {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
  });
  await ask(app);
  await ask(app);
  await app.close();
  expect(collector.spans).toEqual([]);
  const points = collector.metrics.flatMap(({ name, unit, histogram }) =>
    histogram.dataPoints.map(({ attributes, count, sum }) => {
      const { 'gen_ai.token.type': type, 'gen_ai.response.model': model } = attributesOf(attributes);
      return { name, unit, temporality: histogram.aggregationTemporality, type, model, count, sum };
    }),
  );
  const tokens = { name: 'gen_ai.client.token.usage', unit: '{token}', temporality: 2, model: 'big', count: '2' };
  expect(points).toEqual([
    { ...tokens, type: 'input', sum: 200 },
    { ...tokens, type: 'output', sum: 14 },
    expect.objectContaining({ name: 'gen_ai.client.operation.duration', unit: 's', count: '2' }),
  ]);
});

test('each attempt is a span, and says why it has failed', async () => {
  const collector = await collect();
  const [one, two] = [await startUpstream(broken), await startUpstream(answered)];
  const providers = [provider('one', one.url), provider('two', two.url, { priority: 2 })];
  const app = await startProviders({ providers }, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, MAX_RETRIES: '0' });
  await ask(app);
  await app.close();
  const attempts = named(collector.spans, CLIENT).map(({ name, status, attributes }) => {
    return [name, status.code, attributesOf(attributes)['error.type']];
  });
  expect(attempts).toEqual([
    ['chat one', 2, 'overloaded'],
    ['chat two', undefined, undefined],
  ]);
  const [request] = named(collector.spans, SERVER);
  expect(request?.status).toEqual({});
  expect(attributesOf(request?.attributes ?? [])['claude_code_proxy.attempts']).toBe(2);
});

test.each<[string, Settings, string | undefined, number]>([
  ['a client that does not keep its trace', {}, '00', 0],
  ['always_on', { OTEL_TRACES_SAMPLER: 'always_on' }, '00', 2],
  ['always_off', { OTEL_TRACES_SAMPLER: 'always_off' }, '01', 0],
  [
    'a ratio of 0 and a client that keeps its trace',
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    '01',
    2,
  ],
  ['a ratio of 0', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, undefined, 0],
])('which traces are kept: %s', async (_title, settings, flags, spans) => {
  const collector = await collect();
  const upstream = await startUpstream(answered);
  const app = await custom(upstream, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...settings });
  await ask(app, flags === undefined ? {} : { traceparent: `00-${TRACE}-${CALLER}-${flags}` });
  await app.close();
  expect(collector.spans).toHaveLength(spans);
  expect(upstream.requests[0]?.headers['traceparent']).toMatch(spans === 0 ? /-00$/ : /-01$/);
});

test('where there is no collector, or all is switched off, the provider gets no header, and nothing is said in /health', async () => {
  for (const settings of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }]) {
    const upstream = await startUpstream(answered);
    const app = await custom(upstream, settings as Settings);
    await ask(app, { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1' });
    expect(upstream.requests[0]?.headers['traceparent']).toBeUndefined();
    expect(await otlpOf(app)).toBeNull();
    await app.close();
  }
});

test('a collector that is not there delays nothing, and what it does not get is counted', async () => {
  const app = await custom(await startUpstream(answered), { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  const started = performance.now();
  expect((await ask(app)).status).toBe(200);
  expect(performance.now() - started).toBeLessThan(1500);
  await waitUntil('the failure is known', async () => (await otlpOf(app)).healthy === false);
  expect(await otlpOf(app)).toMatchObject({
    traces: 'http://127.0.0.1:1/v1/traces',
    last_error: expect.stringContaining('ECONNREFUSED'),
  });
  await app.close();
  expect((app.services.tracer as OtlpTelemetry).status()).toMatchObject({ written: 0, dropped: 2 });
});

test('a collector that answers 429 is asked again when it wants to, and a slow one is given up', async () => {
  const times: number[] = [];
  const collector = await collect((response, request) => {
    times.push(performance.now());
    if (request > 2) return false;
    if (request === 1) response.writeHead(429, { 'retry-after': '1' }).end();
    return true; // the second is never answered
  });
  const settings = {
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  };
  const app = await custom(await startUpstream(answered), settings);
  expect((await ask(app)).status).toBe(200);
  await waitUntil('the spans have arrived', async () => collector.spans.length === 2);
  const [first = 0, second = 0, third = 0] = times;
  expect(second - first).toBeGreaterThan(990);
  expect(third - second).toBeGreaterThan(1290);
  await waitUntil('it is known', async () => (await otlpOf(app)).written === 2);
  expect(await otlpOf(app)).toMatchObject({ dropped: 0, healthy: true, last_error: 'no answer within 0.3 s' });
  await app.close();
});

const reached = { headers: {}, timeoutMs: 5000, userAgent: 'test' };
const direct = { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined };

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('by TLS the certificate of a collector is checked, with the authorities of the configuration', async () => {
  const authority = createAuthority('test');
  const certificate = createCertificate('localhost', undefined, authority);
  const port = await listen(
    createSecureServer(certificate, (request, response) => request.resume().on('end', () => response.end('{}'))),
  );
  const send = async (trust: SecureContext | undefined) => {
    const sender = new Sender({ ...reached, url: `https://localhost:${port}/v1/traces`, trust, networkProxy: direct });
    const result = await sender.send('{}');
    sender.close();
    return result;
  };
  expect(await send(createSecureContext({ ca: [authority.cert] }))).toEqual({ kind: 'sent', rejected: 0 });
  expect(await send(undefined)).toMatchObject({ kind: 'again', reason: expect.stringContaining('certificate') });
});

test('a collector is reached by the network proxy of the configuration', async () => {
  const asked: unknown[] = [];
  const port = await listen(
    createServer((request, response) => {
      asked.push(request.url);
      request.resume().on('end', () => response.end('{"partialSuccess":{"rejectedSpans":"3"}}'));
    }),
  );
  const networkProxy = { ...direct, httpProxy: `http://127.0.0.1:${port}` };
  const url = 'http://collector.invalid:4318/v1/traces';
  const sender = new Sender({ ...reached, url, trust: undefined, networkProxy });
  expect(await sender.send('{}')).toEqual({ kind: 'sent', rejected: 3 });
  expect(asked).toEqual([url]);
  sender.close();
});
