import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleManager } from '../../../../scripts/build/bundler.ts';
import { loadInstances } from '../../../../src/cli/supervisor/instances.ts';
import { listRequires } from './listRequires.ts';

const repository = resolve(import.meta.dirname, '../../../..');
/** A project without packages: all that the manager needs of them has to be in the one file. */
let root = '';
let manager = '';

function manage(words: readonly string[], options: readonly string[] = []): string {
  const environment = { PATH: process.env['PATH'], HOME: root, PM2_HOME: join(root, 'pm2') };
  return execFileSync(process.execPath, [...options, manager, ...words], {
    encoding: 'utf8',
    env: environment,
    stdio: 'pipe',
  });
}

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'manager-')));
  for (const path of ['envs', 'ecosystem.config.cjs']) {
    cpSync(join(repository, path), join(root, path), { recursive: true, filter: (file) => !file.endsWith('.env') });
  }
  writeFileSync(join(root, 'package.json'), '{"version":"1.2.3"}');
  mkdirSync(join(root, 'dist'));
  manager = join(root, 'dist', 'manager.cjs');
  await bundleManager(repository, manager);
});
afterAll(() => rmSync(root, { recursive: true }));

test('its root is the folder above it', () => {
  expect(manage(['--version'])).toBe('1.2.3\n');
});

test('it reads configurations with everything that these are read with', () => {
  const lines = ['PROVIDER=demo', 'PORT=8081', 'MAX_RETRIES=many', 'MODELS_FILE=envs/models.yaml'];
  writeFileSync(join(root, 'envs', 'one.env'), lines.join('\n'), { mode: 0o600 });
  writeFileSync(join(root, 'envs', 'models.yaml'), 'models: [\n', { mode: 0o600 });
  const [{ problems }] = JSON.parse(manage(['list', '--json'])).instances;
  expect(problems).toHaveLength(2);
  expect(problems).toEqual(loadInstances(root).flatMap((instance) => instance.problems));
});

test('it asks for nothing but the modules of Node', () => {
  const required = listRequires(readFileSync(manager, 'utf8'));
  expect(required).toContain('node:sqlite');
  expect(required.filter((name) => !isBuiltin(name))).toEqual([]);
});

test('a module of Node is loaded only by a command that needs it', () => {
  const preload = join(root, 'preload.cjs');
  writeFileSync(preload, "process.on('exit', () => console.log(process.moduleLoadList.join()));");
  const loaded = (words: readonly string[]) => manage(words, ['--require', preload]).split(/[,\n]/);
  expect(loaded(['--help'])).not.toContain('NativeModule sqlite');
  expect(loaded(['usage'])).toContain('NativeModule sqlite');
});
