import { expect, test } from 'vitest';
import type { ConfigResult } from '../../../src/config/buildConfig.ts';
import type { Config, Problem } from '../../../src/config/config.ts';
import { Reloader } from '../../../src/reload/configReloader.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { type Settings, testConfig } from '../../helpers/startApp.ts';

const read = (settings: Settings, problems: Problem[] = []) => ({
  config: testConfig(settings),
  problems,
  files: ['/envs/test.env'],
});
const wrong = (found: string): ConfigResult => ({
  problems: [{ file: 'envs/test.env', line: 7, key: 'PORT', found, fix: 'Give a number.', severity: 'error' }],
  files: ['/envs/test.env', '/envs/models.yaml'],
});

function reloaderOf(started: Settings) {
  let now = 1000;
  let result: ConfigResult = read(started);
  const applied: Config[] = [];
  const said: string[] = [];
  const quiet = { write: () => true, on: () => {} } as unknown as NodeJS.WritableStream;
  const clock = { now: () => now, monotonic: () => now };
  const write = (line: string) => {
    const { level, message } = JSON.parse(line);
    said.push(`${level}: ${message}`);
  };
  const reloader = new Reloader({
    started: read(started),
    load: () => result,
    apply: (config) => applied.push(config),
    logger: createLogger({ instance: 'test', level: 'info', log: { write }, redact: String, stdout: quiet, clock }),
    clock,
  });
  return {
    reloader,
    applied,
    said,
    checkWith(next: ConfigResult) {
      result = next;
      now += 1000;
      reloader.check();
    },
  };
}

test('the same configuration changes nothing and says nothing', () => {
  const { reloader, applied, said, checkWith } = reloaderOf({});
  checkWith(read({}));
  expect([applied, said, reloader.status]).toEqual([[], [], { loadedAt: 1000, problems: [], restartNeeded: [] }]);
});

test('another one holds from then on', () => {
  const { reloader, applied, said, checkWith } = reloaderOf({});
  checkWith(read({ BIG_MODEL: 'other' }));
  expect(applied.map(({ tiers }) => tiers.big)).toEqual(['other']);
  expect(reloader.status).toEqual({ loadedAt: 2000, problems: [], restartNeeded: [] });
  expect(said).toEqual(['info: the configuration was changed']);
});

test('E1 a wrong one leaves the old one, and is reported once, with its line, until it is repaired', () => {
  const { reloader, applied, said, checkWith } = reloaderOf({});
  checkWith(wrong('"80x"'));
  checkWith(wrong('"80x"'));
  const line = 'envs/test.env:7 PORT: found "80x". Give a number.';
  expect(said).toEqual([`error: the configuration is wrong, and the one before goes on serving: ${line}`]);
  expect(reloader.status).toMatchObject({ loadedAt: 1000, problems: [{ line: 7, key: 'PORT' }] });
  expect(reloader.files).toEqual(['/envs/test.env', '/envs/models.yaml']);
  checkWith(wrong('"81x"'));
  expect(said).toHaveLength(2);
  checkWith(read({}));
  expect(said.slice(2)).toEqual(['info: the configuration is right again']);
  expect(reloader.status.problems).toEqual([]);
  expect(applied).toEqual([]);
});

test('a warning is reported and keeps nothing back', () => {
  const { applied, said, reloader, checkWith } = reloaderOf({});
  const warning: Problem = { file: 'f', key: 'K', found: 'x', fix: 'y', severity: 'warning' };
  checkWith(read({ BIG_MODEL: 'other' }, [warning]));
  expect(said).toEqual(['warn: f K: found x. y', 'info: the configuration was changed']);
  expect([applied.length, reloader.status.problems]).toEqual([1, []]);
});

test('a changed port asks for a restart, once, while the rest holds already; taken back it asks no more', () => {
  const { reloader, applied, said, checkWith } = reloaderOf({});
  checkWith(read({ PORT: '8099', BIG_MODEL: 'other' }));
  checkWith(read({ PORT: '8099', BIG_MODEL: 'third' }));
  expect(reloader.status.restartNeeded).toEqual(['PORT']);
  expect(applied.map(({ port, tiers }) => [port, tiers.big])).toEqual([
    [8080, 'other'],
    [8080, 'third'],
  ]);
  expect(said.filter((line) => line.startsWith('warn'))).toEqual([
    'warn: a restart is needed for PORT; the rest holds already',
  ]);
  checkWith(read({}));
  expect(reloader.status.restartNeeded).toEqual([]);
  expect(applied.at(-1)?.tiers.big).not.toBe('third');
});

test('R509 with another host the whole waits, so that no token is dropped on an address that strangers can reach', () => {
  const open = { HOST: '0.0.0.0', ANTHROPIC_API_KEY: 'a-token-of-more-than-24-characters' };
  const { reloader, applied, said, checkWith } = reloaderOf(open);
  checkWith(read({ HOST: '127.0.0.1' }));
  expect(reloader.status).toMatchObject({ loadedAt: 1000, restartNeeded: ['HOST'] });
  expect(applied).toEqual([]);
  expect(said).toEqual(['warn: a restart is needed for HOST; the rest waits with it']);
  checkWith(read(open));
  expect(reloader.status.restartNeeded).toEqual([]);
});

test('without its token a configuration waits for a restart, as a file cut in half is valid as well', () => {
  const guarded = { ANTHROPIC_API_KEY: 'a-token-of-more-than-24-characters' };
  const { reloader, applied, said, checkWith } = reloaderOf(guarded);
  checkWith(read({ BIG_MODEL: 'other' }));
  expect(applied).toEqual([]);
  expect(reloader.status).toMatchObject({ loadedAt: 1000, restartNeeded: ['ANTHROPIC_API_KEY'] });
  expect(said).toEqual(['warn: a restart is needed for ANTHROPIC_API_KEY; the rest waits with it']);
  checkWith(read({ ...guarded, BIG_MODEL: 'other' }));
  expect(applied.map(({ tiers, clientToken }) => [tiers.big, clientToken?.reveal()])).toEqual([
    ['other', guarded.ANTHROPIC_API_KEY],
  ]);
  expect(reloader.status.restartNeeded).toEqual([]);
});

test('a token that a reload has brought is kept just so, and another one takes its place at once', () => {
  const { applied, reloader, checkWith } = reloaderOf({});
  checkWith(read({ ANTHROPIC_API_KEY: 'a-token-of-more-than-24-characters' }));
  checkWith(read({}));
  expect(applied).toHaveLength(1);
  expect(reloader.status.restartNeeded).toEqual(['ANTHROPIC_API_KEY']);
  checkWith(read({ ANTHROPIC_API_KEY: 'another-token-of-some-characters' }));
  expect(applied.at(-1)?.clientToken?.reveal()).toBe('another-token-of-some-characters');
});
