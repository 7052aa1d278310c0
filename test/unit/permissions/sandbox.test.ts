import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { describePermissionModel, restrictProcess } from '../../../src/permissions/sandbox.ts';
import { configOf } from '../../helpers/configText.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

const { execve } = process;
const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
const folder = temporaryFolder();
const config = configOf(['PROVIDER=demo', `STATE_DIR=${folder.path}/state`, `LOG_DIR=${folder.path}/logs`]);

function setPlatform(value: string): void {
  Object.defineProperty(process, 'platform', { ...platform, value });
}

/** What was executed; nothing is, really. */
let executed: (readonly string[])[] = [];
let environment: NodeJS.ProcessEnv | undefined;
beforeEach(() => {
  executed = [];
  process.execve = ((_program: string, words: readonly string[], given: NodeJS.ProcessEnv) => {
    executed.push(words);
    environment = given;
  }) as unknown as typeof execve & object;
});
afterAll(() => folder.remove());
afterEach(() => {
  Object.defineProperty(process, 'execve', { value: execve, writable: true, configurable: true });
  Object.defineProperty(process, 'platform', platform);
});

function throwAlways(): never {
  throw Object.assign(new Error('process.execve is not available on this platform'), {
    code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  });
}

test('under Windows, where execve is there and throws, the instance starts with all rights and says so', () => {
  process.execve = throwAlways as typeof execve & object;
  setPlatform('win32');
  expect(restrictProcess(config, undefined, {})).toBeUndefined();
  expect(describePermissionModel(config)).toBe('unavailable');
});

test('elsewhere a failure of execve is one sentence with what to do', () => {
  process.execve = throwAlways as typeof execve & object;
  const reason = restrictProcess(config, undefined, {});
  expect(reason).toContain('not available on this platform');
  expect(reason).toContain(`set PERMISSION_MODEL=off in ${config.file}`);
});

test('a Node without execve is refused in the same way', () => {
  Object.defineProperty(process, 'execve', { value: undefined, writable: true, configurable: true });
  expect(restrictProcess(config, undefined, {})).toContain('PERMISSION_MODEL=off');
});

test('otherwise the program is executed again with its rights listed', () => {
  expect(restrictProcess(config, undefined, {})).toBeUndefined();
  expect(executed.flat()).toContain(process.execPath);
});

test('with an allocator that gives memory back, unless its user has set it otherwise', () => {
  restrictProcess(config, undefined, { OTHER: 'as it was', MALLOC_MMAP_THRESHOLD_: '65536' });
  expect(environment).toMatchObject({ OTHER: 'as it was', MALLOC_MMAP_THRESHOLD_: '65536' });
  expect(environment?.['MALLOC_TRIM_THRESHOLD_']).toBe('8388608');
});

test('a process that keeps its rights, as the settings say, reports it', () => {
  expect(describePermissionModel(configOf(['PROVIDER=demo', 'PERMISSION_MODEL=off']))).toBe('off');
});
