import { describe, expect, test } from 'vitest';
import { configOf, readLines } from '../../helpers/configText.ts';

const FILE = ['PROVIDER=kimi', 'PORT=8888', 'OPENAI_API_KEY='];

describe('variables of the environment (decision 0002)', () => {
  test('win over the file', () => {
    expect(configOf(FILE, { environment: { PORT: '9000' } }).port).toBe(9000);
    expect(configOf(FILE, { environment: { CLAUDE_PROXY_PORT: '9000' } }).port).toBe(9000);
    expect(configOf(FILE, { environment: { QUIRK_TOP_K: 'true' } }).provider.overrides).toEqual({ topK: true });
    expect(configOf(FILE, { environment: { CUSTOM_HEADER_X_A: '1' } }).provider.headers).toEqual({ 'x-a': '1' });
  });

  test('a NO_PROXY that names this machine alone leaves the file its own', () => {
    const lines = [...FILE, 'HTTPS_PROXY=http://proxy.lan:3128', 'NO_PROXY=of.the.file'];
    const exceptions = (NO_PROXY: string) => configOf(lines, { environment: { NO_PROXY } }).networkProxy.noProxy;
    expect(exceptions('127.0.0.1,localhost')).toBe('of.the.file,127.0.0.1,localhost,::1');
    expect(exceptions('of.the.shell,localhost')).toBe('of.the.shell,127.0.0.1,localhost,::1');
  });

  test('win without a warning, under any of their names', () => {
    expect(readLines(FILE, { environment: { CLAUDE_PROXY_PORT: '9000' } }).problems).toEqual([]);
  });

  test('are taken as they stand', () => {
    expect(configOf(FILE, { environment: { BIG_MODEL: '${PORT}' } }).tiers.big).toBe('${PORT}');
  });

  test('are ignored when empty or when the name is not ours', () => {
    const { config, problems } = readLines(FILE, { environment: { PORT: '', NOBODY: 'x', QUIRK: 'x' } });
    expect(config?.port).toBe(8888);
    expect(problems).toEqual([]);
  });

  test('a wrong one is reported without a line', () => {
    const { problems } = readLines(FILE, { environment: { PORT: 'x' } });
    expect(problems).toMatchObject([{ key: 'PORT', severity: 'error', found: '"x"' }]);
    expect(problems[0]).not.toHaveProperty('line');
  });

  test('ANTHROPIC_API_KEY of the shell is Claude Code’s own and never the client token', () => {
    const claudes = 'sk-ant-abcdefghijklmnopqrstuvwx';
    expect(configOf(FILE, { environment: { ANTHROPIC_API_KEY: claudes } }).clientToken).toBeUndefined();
    expect(configOf(FILE, { environment: { ANTHROPIC_API_KEY_FILE: '/x' } }).clientToken).toBeUndefined();
    const config = configOf([...FILE, 'ANTHROPIC_API_KEY=mine'], { environment: { ANTHROPIC_API_KEY: claudes } });
    expect(config.clientToken?.reveal()).toBe('mine');
  });

  test('CLAUDE_PROXY_AUTH_KEY of the environment is the client token', () => {
    const config = configOf([...FILE, 'ANTHROPIC_API_KEY=file'], { environment: { CLAUDE_PROXY_AUTH_KEY: 'mine' } });
    expect(config.clientToken?.reveal()).toBe('mine');
  });

  test('OPENAI_API_KEY of the shell does not go to the provider of a file that leaves its key empty', () => {
    const { key } = configOf(FILE, { environment: { OPENAI_API_KEY: 'sk-shell' } }).provider;
    expect(key).toEqual({ source: 'client', variable: 'KIMI_API_KEY' });
  });

  test('OPENAI_API_KEY of the environment fills a gap, with a warning where it may be another provider’s', () => {
    const { config, problems } = readLines(['PROVIDER=kimi'], { environment: { OPENAI_API_KEY: 'sk-shell' } });
    expect(config?.provider.key).toMatchObject({ source: 'environment', variable: 'OPENAI_API_KEY' });
    expect(problems).toMatchObject([{ key: 'OPENAI_API_KEY', severity: 'warning' }]);
    const named = readLines(['PROVIDER=kimi'], { environment: { KIMI_API_KEY: 'sk-shell' } });
    expect(named.config?.provider.key).toMatchObject({ source: 'environment', variable: 'KIMI_API_KEY' });
    expect(named.problems).toEqual([]);
  });

  test('OPENAI_BASE_URL of the shell does not lead a named provider’s key elsewhere', () => {
    const environment = { OPENAI_BASE_URL: 'https://elsewhere.example/v1' };
    expect(configOf(['PROVIDER=kimi'], { environment }).provider.baseUrl).toBe('https://api.moonshot.ai/v1');
    const { provider } = configOf(['BIG_MODEL=x'], { environment });
    expect(provider).toMatchObject({ baseUrl: 'https://elsewhere.example/v1', preset: { name: 'custom' } });
  });

  test('PROVIDER of the shell does not lead a file’s key elsewhere; REGION of the shell is another program’s', () => {
    const environment = { PROVIDER: 'glm', PREFERRED_PROVIDER: 'glm', REGION: 'us-east-1' };
    expect(configOf(FILE, { environment }).provider.baseUrl).toBe('https://api.moonshot.ai/v1');
    const { preset } = configOf(['OPENAI_BASE_URL=http://x.example', 'BIG_MODEL=m'], { environment }).provider;
    expect(preset.name).toBe('custom');
    expect(configOf([''], { environment }).provider.baseUrl).toBe('https://api.z.ai/api/paas/v4');
  });

  test('a reference says that the environment’s key is meant', () => {
    const lines = ['PROVIDER=kimi', 'OPENAI_API_KEY=${OPENAI_API_KEY}'];
    const { key } = configOf(lines, { environment: { OPENAI_API_KEY: 'sk-shell' } }).provider;
    expect(key.secret?.reveal()).toBe('sk-shell');
  });
});
