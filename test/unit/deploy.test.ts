import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { problemsOf } from '../helpers/configText.ts';

const deploy = resolve(import.meta.dirname, '..', '..', 'deploy');

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly stop_grace_period: string;
  readonly [name: string]: unknown;
}

const services = readdirSync(deploy)
  .filter((name) => name.startsWith('compose'))
  .flatMap((file) => {
    const read: { services: Record<string, Service> } = parse(readFileSync(join(deploy, file), 'utf8'), {
      merge: true,
    });
    return Object.entries(read.services).map(([name, service]) => ({ name: `${file} ${name}`, service }));
  });

/** PM2 waits these seconds longer than the instances (ecosystem.config.cjs). */
const OF_PM2 = 5;

test('there is a compose file for one instance and one for all', () => {
  expect(services.map(({ name }) => name).sort()).toEqual(['compose.all.yaml all', 'compose.yaml demo']);
});

test.each(services)('$name: a stopped container has longer than its answers may take', ({ service }) => {
  const grace = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]);
  const ecosystem = readFileSync(join(deploy, '..', 'ecosystem.config.cjs'), 'utf8');
  const usual = Number(/\?\.\[1\] \?\? (\d+)\)/.exec(ecosystem)?.[1]);
  const drain = service.environment === undefined ? usual + OF_PM2 : Number(service.environment['DRAIN_SECONDS']);
  expect(drain).toBeGreaterThan(0);
  expect(grace).toBeGreaterThanOrEqual(drain + 5);
});

test.each(services)(
  '$name: no rights, nothing to write but what is named, reachable from this machine alone',
  ({ service }) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service['user']).toMatch(/65532:65532/);
    expect(service['privileged']).toBeUndefined();
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
  },
);

test('the port that is published, the one that is served and the env file that is asked for are the same', () => {
  const service = services.find(({ name }) => name === 'compose.yaml demo')?.service;
  const { PORT: port = '', ...settings } = service?.environment ?? {};
  expect(service?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  expect(service?.command).toEqual(['--env', '/config/demo.env']);
  expect(service?.healthcheck?.test).toEqual(['CMD', '/claude-code-proxy', '--env', '/config/demo.env', '--health']);
  // The header of the file has the example copied, whose port the container with all instances publishes.
  const example = readFileSync(join(deploy, '..', 'envs', 'demo.env.example'), 'utf8');
  expect(/^PORT=(\d+)$/m.exec(example)?.[1]).toBe(port);
  expect(services.map(({ service: one }) => one.ports)).toEqual([service?.ports, service?.ports]);
  const lines = ['PROVIDER=demo', `PORT=${port}`, `ANTHROPIC_API_KEY=${'a1'.repeat(24)}`];
  expect(problemsOf([...lines, ...Object.entries(settings).map((pair) => pair.join('='))])).toEqual([]);
});

test('no env file, key, log or statistic can get into an image', () => {
  const lines = readFileSync(join(deploy, '..', '.dockerignore'), 'utf8').split('\n');
  const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
  expect(rules[0]).toBe('*');
  expect(rules.slice(1).filter((rule) => !rule.startsWith('!'))).toEqual([]);
  expect(rules.filter((rule) => /envs|state|logs|instances/.test(rule))).toEqual(['!envs/*.example']);
});
