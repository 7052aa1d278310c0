import { expect, onTestFinished, test } from 'vitest';
import { startCollector } from '../helpers/collector.ts';
import { call, message } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';

test('the executable sends its last spans and figures when it stops, by the settings of its environment', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.close());
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k-1' };
  const binary = await startBinary({ PROVIDER: 'demo' }, 'traced', undefined, environment);
  onTestFinished(() => binary.stop());
  expect((await call(`${binary.url}/v1/messages`, message('claude-opus-5'))).status).toBe(200);
  const health = JSON.parse((await call(`${binary.url}/health`)).text);
  expect(health).toMatchObject({ permission_model: 'on', otlp: { metrics: `${collector.url}/v1/metrics` } });
  binary.process.kill('SIGTERM');
  expect(await binary.exited).toBe(0);
  expect(collector.spans.map(({ name }) => name.split(' ')[0])).toEqual(['chat', 'chat']);
  expect(collector.metrics.map(({ name }) => name)).toContain('gen_ai.client.operation.duration');
  expect(collector.headers[0]).toMatchObject({ 'x-key': 'k-1' });
  expect(collector.resources[0]).toMatchObject({
    'service.name': 'claude-code-proxy',
    'service.instance.id': 'traced',
  });
});
