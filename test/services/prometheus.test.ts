import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type FakeUpstream, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { call, message, type Settings } from '../helpers/startApp.ts';
import { type Binary, freePort, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

/** Both are in Debian's package prometheus. */
const [PROMETHEUS, PROMTOOL] = ['/usr/bin/prometheus', '/usr/bin/promtool'];
const isThere = existsSync(PROMETHEUS) && existsSync(PROMTOOL);
if (!isThere && process.env['CI'] !== undefined) throw new Error('Prometheus is missing');

const DEPLOY = join(import.meta.dirname, '..', '..', 'deploy', 'observability');
const TOKEN = 'a-token-of-more-than-24-characters';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** An address of this machine that others can reach; loopback where it has none. */
const address =
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

const answered = json(200, {
  choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 60 } },
});

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync(join(DEPLOY, 'dashboard.json'), 'utf8'),
);
interface Alert {
  readonly alert: string;
  readonly expr: string;
}
const alerts: readonly Alert[] = parse(readFileSync(join(DEPLOY, 'alerts.yml'), 'utf8')).groups[0].rules;

describe.skipIf(!isThere)('Prometheus (Debian’s package prometheus)', () => {
  const folder = temporaryFolder();
  const binaries: Binary[] = [];
  let upstream: FakeUpstream;
  let api = '';
  let stop = async () => {};

  async function start(name: string, settings: Settings): Promise<void> {
    const access = { HOST: '0.0.0.0', ALLOWED_HOSTS: address, ANTHROPIC_API_KEY: TOKEN };
    binaries.push(await startBinary({ ...access, ...settings }, name));
  }

  const ask = async () => {
    const request = message('claude-opus-5', { stream: true });
    for (const { url } of binaries)
      await call(`${url}/v1/messages`, { ...request, headers: { ...request.headers, ...AUTHORIZED } });
  };

  async function startPrometheus(): Promise<void> {
    const port = await freePort();
    const targets = binaries.map((binary) => `${address}:${binary.port}`);
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(DEPLOY, 'alerts.yml')],
      scrape_configs: [
        { job_name: 'claude-code-proxy', authorization: { credentials: TOKEN }, static_configs: [{ targets }] },
      ],
    };
    const file = join(folder.path, 'prometheus.yml');
    writeFileSync(file, JSON.stringify(config)); // which is YAML, too
    const data = `--storage.tsdb.path=${join(folder.path, 'data')}`;
    const child = spawn(PROMETHEUS, [`--config.file=${file}`, data, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: 'ignore',
    });
    stop = async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    api = `http://127.0.0.1:${port}/api/v1`;
  }

  /** What an expression gives now, without what is no number. */
  async function query(expression: string): Promise<number[]> {
    const { text } = await call(`${api}/query?query=${encodeURIComponent(expression)}`).catch(() => ({ text: '{}' }));
    const results: readonly { readonly value: readonly [number, string] }[] = JSON.parse(text).data?.result ?? [];
    return results.map(({ value }) => Number(value[1])).filter((value) => !Number.isNaN(value));
  }

  beforeAll(async () => {
    upstream = await startFakeUpstream({ '*': answered });
    const at = { PROVIDER: 'custom', BIG_MODEL: 'big', MAX_RETRIES: '0' };
    await start('demo', {
      PROVIDER: 'demo',
      USAGE_POSTGRES_URL: 'postgres://nobody@127.0.0.1:1/usage',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    });
    await start('good', { ...at, OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'key-of-the-good-one' });
    await start('dead', { ...at, OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_API_KEY: 'key-of-the-dead-one' });
    await startPrometheus();
    await ask();
    await waitUntil('all three are read', async () => (await query('up == 1')).length === 3);
    await waitUntil('there are figures', async () => (await query('claude_code_proxy_requests_total')).length === 3);
    await ask();
    await waitUntil(
      'they change',
      async () => (await query('rate(claude_code_proxy_requests_total[1m]) > 0')).length === 3,
    );
  });
  afterAll(async () => {
    await stop();
    await Promise.all(binaries.map((binary) => binary.stop()));
    await upstream?.close();
    folder.remove();
  });

  test('an address that others can reach is read with the token, and not without it', async () => {
    const { port } = binaries[0] ?? { port: 0 };
    expect((await call(`http://${address}:${port}/metrics`)).status).toBe(401);
    expect((await call(`http://${address}:${port}/metrics`, { headers: AUTHORIZED })).status).toBe(200);
  });

  test('promtool finds nothing to say of metrics and rules', async () => {
    for (const { url } of binaries) {
      const { text } = await call(`${url}/metrics`, { headers: AUTHORIZED });
      expect(execFileSync(PROMTOOL, ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' })).toBe('');
      expect(text).not.toMatch(/key-of-the|a-token-of/);
    }
    const checked = execFileSync(PROMTOOL, ['check', 'rules', '--lint-fatal', join(DEPLOY, 'alerts.yml')], {
      encoding: 'utf8',
    });
    expect(checked).toContain(`SUCCESS: ${alerts.length} rules found`);
  });

  const expressions = dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr] as const),
  );
  test.each(expressions)('the dashboard has figures: %s', async (_title, expression) => {
    const values = expression.replaceAll(/\$(?:instance|provider)/g, '.*');
    await waitUntil(`there are figures of ${values}`, async () => (await query(values)).length > 0);
  });

  test.each(alerts.map(({ alert, expr }) => [alert, expr]))(
    'the alert looks at figures: %s',
    async (_name, expression) => {
      const [figure = ''] = expression.split(/ [<>] [\d.e+]+$/);
      expect(figure).not.toBe(expression);
      await waitUntil(`there are figures of ${figure}`, async () => (await query(figure)).length > 0);
    },
  );

  test('the rules are right to Prometheus itself, and the provider that is down is noticed', async () => {
    await waitUntil('it is noticed', async () => {
      for (let request = 0; request < 3; request += 1) await ask();
      const { text } = await call(`${api}/rules`);
      const rules: readonly { readonly name: string; readonly state: string; readonly health: string }[] =
        JSON.parse(text).data.groups[0].rules;
      expect(rules.filter(({ health }) => health === 'err')).toEqual([]);
      return rules.some(({ name, state }) => name === 'ClaudeCodeProxyProviderDown' && state === 'pending');
    });
  });
});
