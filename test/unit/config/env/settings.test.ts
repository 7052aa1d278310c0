import { describe, expect, test } from 'vitest';
import { readField, settingFields, takeFields } from '../../../../src/config/buildConfig.ts';
import { describeConfig } from '../../../../src/config/describe.ts';
import { type SettingName, settingNames, settingRow } from '../../../../src/config/env/settings.ts';
import { configOf } from '../../../helpers/configText.ts';

const BASE = ['PROVIDER=demo', 'ANTHROPIC_API_KEY=a-token-of-more-than-24-characters'];
const standard = configOf(BASE);

/** A value other than the default, for each setting that the configuration takes over. */
const CHANGED: Partial<Record<SettingName, string>> = {
  LONG_CONTEXT_THRESHOLD: '64k',
  VISION_TIMEOUT: '7',
  HOST: '0.0.0.0',
  PORT: '8099',
  ALLOWED_HOSTS: 'a.example',
  MAX_TOKENS_LIMIT: '32k',
  MIN_TOKENS_LIMIT: '16',
  MAX_BODY_BYTES: '1M',
  REQUEST_TIMEOUT: '7',
  MAX_RETRIES: '7',
  MAX_ATTEMPTS: '7',
  FALLBACK_SECONDS: '7',
  BREAKER_FAILURES: '7',
  BREAKER_WINDOW: '7',
  BREAKER_SECONDS: '7',
  MAX_CONCURRENT: '7',
  MAX_QUEUE: '7',
  HTTPS_PROXY: 'http://proxy.lan:1',
  HTTP_PROXY: 'http://proxy.lan:2',
  NO_PROXY: 'intranet',
  LOG_LEVEL: 'warn',
  LOG_DIR: '/elsewhere',
  STATE_DIR: '/elsewhere',
  USAGE_RETENTION_DAYS: '7',
  USAGE_PROJECTS: 'names',
  USAGE_POSTGRES_URL: 'postgres://writer@db.example/usage',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.lan:4318',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces.lan/in',
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics.lan/in',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a-key-of-the-collector',
  OTEL_EXPORTER_OTLP_TIMEOUT: '7000',
  OTEL_SERVICE_NAME: 'proxies',
  OTEL_RESOURCE_ATTRIBUTES: 'team=a',
  OTEL_TRACES_SAMPLER: 'always_off',
  OTEL_TRACES_SAMPLER_ARG: '0.5',
  OTEL_SDK_DISABLED: 'true',
  LOG_MAX_SIZE: '1M',
  LOG_RETENTION_DAYS: '7',
  LOG_MAX_TOTAL: '1M',
  PERMISSION_MODEL: 'off',
  DRAIN_SECONDS: '7',
};

const COLLECTOR = 'OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.lan:4318';

/** What must be set besides, so that a setting makes a difference. */
const BESIDES: Partial<Record<SettingName, string>> = {
  LONG_CONTEXT_THRESHOLD: 'ROUTER_LONG_CONTEXT=long',
  VISION_TIMEOUT: 'VISION_URL=http://127.0.0.1:1',
  MAX_QUEUE: 'MAX_CONCURRENT=1',
  NO_PROXY: 'HTTP_PROXY=http://proxy.lan:3',
  OTEL_EXPORTER_OTLP_HEADERS: COLLECTOR,
  OTEL_EXPORTER_OTLP_TIMEOUT: COLLECTOR,
  OTEL_SERVICE_NAME: COLLECTOR,
  OTEL_RESOURCE_ATTRIBUTES: COLLECTOR,
  OTEL_TRACES_SAMPLER: COLLECTOR,
  OTEL_TRACES_SAMPLER_ARG: `${COLLECTOR}\nOTEL_TRACES_SAMPLER=traceidratio`,
  OTEL_SDK_DISABLED: COLLECTOR,
};

/** What `--check` has no words for. */
const NOT_SHOWN: readonly SettingName[] = ['PERMISSION_MODEL'];

describe('a setting that the configuration takes over', () => {
  test.each(settingFields.map((field) => [field.name, field] as const))('%s', (name, field) => {
    const changed = CHANGED[name];
    if (changed === undefined) throw new Error(`give a value for ${name}`);
    const lines = [...BASE, ...(BESIDES[name] === undefined ? [] : [BESIDES[name]])];
    const before = configOf(lines);
    const after = configOf([...lines, `${name}=${changed}`]);
    expect(readField(after, field)).not.toEqual(readField(before, field));
    expect(after.hash).not.toBe(before.hash);
    const shown = (config: typeof after) => describeConfig(config).filter((line) => !line.startsWith('hash '));
    if (NOT_SHOWN.includes(name)) expect(shown(after)).toEqual(shown(before));
    else expect(shown(after)).not.toEqual(shown(before));
  });

  test('goes over into another configuration with its field, and nothing else does', () => {
    const other = configOf([...BASE, 'DRAIN_SECONDS=7', 'LOG_DIR=/elsewhere', 'LOG_LEVEL=warn']);
    const taken = takeFields(
      standard,
      other,
      settingFields.filter(({ name }) => name === 'LOG_DIR' || name === 'DRAIN_SECONDS'),
    );
    expect(taken).toEqual({
      ...standard,
      drainMs: 7000,
      logs: { ...standard.logs, directory: '/elsewhere' },
    });
  });
});

test('only what the configuration takes over can need a restart or have a line of its own', () => {
  const others = settingNames.filter((name) => settingRow(name).field === undefined).map(settingRow);
  expect(others.filter(({ needsRestart, shown, isFolder }) => needsRestart ?? shown ?? isFolder)).toEqual([]);
});

test('no two settings stand in the same field', () => {
  const fields = settingFields.map(({ path }) => path.join('.'));
  expect(new Set(fields).size).toBe(fields.length);
});
