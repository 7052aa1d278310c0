import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isOpenToOthers, loadConfig } from '../../../src/config/load.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(join(directory, name), text);
  chmodSync(join(directory, name), mode);
  return name;
}

test('a file becomes a configuration; relative paths start from the directory', () => {
  const { config, problems } = loadConfig(write('kimi.env', 'PROVIDER=kimi\nLOG_DIR=my/logs\n'), {}, directory);
  expect(problems).toEqual([]);
  expect(config).toMatchObject({
    instance: 'kimi',
    file: join(directory, 'kimi.env'),
    logs: { directory: join(directory, 'my/logs') },
  });
});

test.each([0o644, 0o640, 0o604, 0o666])('E4 a file of mode %o is a warning that says how to repair it', (mode) => {
  const { config, problems } = loadConfig(write('kimi.env', 'PROVIDER=kimi', mode), {}, directory);
  expect(config).toBeDefined();
  expect(problems).toMatchObject([{ severity: 'warning', fix: 'Run: chmod 600 kimi.env' }]);
});

test.each([
  ['its group may read', 0o440, true, false],
  ['its group may read, and which belongs to this user', 0o440, false, true],
  ['its group may write', 0o460, true, true],
  ['others may read', 0o444, true, true],
  ['others alone may read', 0o404, true, true],
])('E4 a file of another user that %s', (_what, mode, isForeign, isOpen) => {
  expect(isOpenToOthers({ mode: 0o100_000 | mode, uid: isForeign ? 0 : 1000 }, 1000)).toBe(isOpen);
});

// Only root can give a file away.
test.skipIf(process.getuid?.() !== 0)('E4 a secret as Kubernetes mounts it for a pod gives no warning', () => {
  const path = write('kimi.env', 'PROVIDER=kimi', 0o440);
  chownSync(join(directory, path), 12_345, 12_345);
  expect(loadConfig(path, {}, directory).problems).toEqual([]);
  chmodSync(join(directory, path), 0o444);
  expect(loadConfig(path, {}, directory).problems).toMatchObject([{ severity: 'warning' }]);
});

test('E4 a file for its owner alone is none', () => {
  expect(loadConfig(write('kimi.env', 'PROVIDER=kimi', 0o400), {}, directory).problems).toEqual([]);
});

test('a missing file, a folder and a large file are problems, not exceptions', () => {
  mkdirSync(join(directory, 'folder.env'));
  write('large.env', '#'.repeat(300_000));
  const found = ['missing.env', 'folder.env', 'large.env'].map((name) => loadConfig(name, {}, directory));
  expect(found.map(({ config }) => config)).toEqual([undefined, undefined, undefined]);
  expect(found.map(({ problems }) => problems.map((problem) => `${problem.file}: ${problem.found}`))).toEqual([
    ['missing.env: no file of this name'],
    ['folder.env: a folder'],
    ['large.env: 300000 bytes'],
  ]);
});

test.skipIf(process.platform === 'win32')(
  'a pipe and a device are problems, in place of an instance that hangs',
  () => {
    execFileSync('mkfifo', [join(directory, 'pipe.env')]);
    symlinkSync('/dev/zero', join(directory, 'zero.env'));
    for (const name of ['pipe.env', 'zero.env']) {
      const { config, problems } = loadConfig(name, {}, directory);
      expect([config, problems.map(({ found }) => found)]).toEqual([undefined, ['a pipe or a device']]);
      const text = `PROVIDER=kimi\nOPENAI_API_KEY_FILE=${name}`;
      expect(loadConfig(write('kimi.env', text), {}, directory).problems).toMatchObject([
        { line: 2, severity: 'error', found: expect.stringContaining('(a pipe or a device)') },
      ]);
    }
  },
);

test('NAME_FILE reads a secret from a file', () => {
  write('key', 'sk-from-file\n');
  const text = 'PROVIDER=kimi\nKIMI_API_KEY_FILE=key\nANTHROPIC_API_KEY_FILE=${WHERE}/key';
  const { config, problems } = loadConfig(write('kimi.env', text), { WHERE: directory }, directory);
  expect(problems).toEqual([]);
  expect(config?.provider.key).toMatchObject({ source: 'secret file', variable: 'KIMI_API_KEY_FILE' });
  expect(config?.provider.key.secret?.reveal()).toBe('sk-from-file');
  expect(config?.clientToken?.reveal()).toBe('sk-from-file');
});

test('a secret file that is missing or empty is a problem of its line', () => {
  write('empty', '\n');
  const text = 'PROVIDER=kimi\nOPENAI_API_KEY_FILE=missing\nANTHROPIC_API_KEY_FILE=empty';
  expect(loadConfig(write('kimi.env', text), {}, directory).problems).toMatchObject([
    { line: 2, severity: 'error', found: expect.stringContaining('ENOENT') },
    { line: 3, severity: 'error', found: expect.stringContaining('empty') },
  ]);
});

test('a secret in the file goes before one in a file of its own, with a warning', () => {
  write('key', 'sk-other');
  const text = 'PROVIDER=kimi\nOPENAI_API_KEY=sk-here\nOPENAI_API_KEY_FILE=key';
  const { config, problems } = loadConfig(write('kimi.env', text), {}, directory);
  expect(config?.provider.key.secret?.reveal()).toBe('sk-here');
  expect(problems).toMatchObject([{ line: 3, severity: 'warning' }]);
});

test('a provider’s key in a file implies the provider, too', () => {
  write('secret', 'AIza-gemini\n');
  const { config } = loadConfig(write('work.env', 'GEMINI_API_KEY_FILE=secret'), {}, directory);
  expect(config?.provider).toMatchObject({ preset: { name: 'gemini' }, key: { source: 'secret file' } });
});

const MODEL = '- model_id: mine\n';

test.each(['models.yaml', 'models.yml', 'models.json', 'custom_models.yaml'])(
  'the models file %s is found beside the env file',
  (name) => {
    mkdirSync(join(directory, 'envs'));
    write(join('envs', name), '[{"model_id": "mine"}]');
    write(name, '[{"model_id": "elsewhere"}]');
    const { config } = loadConfig(write('envs/work.env', 'PROVIDER=kimi'), {}, directory);
    expect(config?.modelsFile).toBe(join('envs', name));
    expect([...(config?.customModels.keys() ?? [])]).toEqual(['mine']);
  },
);

test.each(['MODELS_FILE', 'CUSTOM_MODELS_FILE'])('%s names a models file, relative to the project', (key) => {
  mkdirSync(join(directory, 'envs'));
  write('envs/models.yaml', '- model_id: beside');
  write('my.yaml', MODEL);
  const { config } = loadConfig(write('envs/work.env', `PROVIDER=kimi\n${key}=my.yaml`), {}, directory);
  expect([...(config?.customModels.keys() ?? [])]).toEqual(['mine']);
});

test('a models file that cannot be read is reported at its line', () => {
  const file = write('work.env', 'PROVIDER=kimi\nMODELS_FILE=none.yaml');
  expect(loadConfig(file, {}, directory).problems).toMatchObject([
    { line: 2, key: 'MODELS_FILE', severity: 'error', found: 'the file "none.yaml", which cannot be read (ENOENT)' },
  ]);
  mkdirSync(join(directory, 'models.yaml'));
  expect(loadConfig(write('other.env', 'PROVIDER=kimi'), {}, directory).problems).toMatchObject([
    { key: 'MODELS_FILE', severity: 'error', found: expect.stringContaining('EISDIR') },
  ]);
});

test('a models file of a megabyte is another file', () => {
  write('models.yaml', `#${'x'.repeat(1_048_576)}`);
  expect(loadConfig(write('work.env', 'PROVIDER=kimi'), {}, directory).problems).toMatchObject([
    { key: 'MODELS_FILE', severity: 'error', found: '1048577 characters in models.yaml' },
  ]);
});

test.each(['OPENAI_API_KEY_FILE', 'MODELS_FILE', 'PRICES_FILE', 'PROVIDERS_FILE', 'HOOKS_FILE'])(
  'a file of gigabytes that %s names is not read',
  (setting) => {
    write('large', '');
    truncateSync(join(directory, 'large'), 5_000_000_000); // without a block of its own on the disk
    const { config, problems } = loadConfig(write('kimi.env', `PROVIDER=kimi\n${setting}=large`), {}, directory);
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([{ line: 2, found: expect.stringContaining('5000000000 bytes') }]);
  },
);
