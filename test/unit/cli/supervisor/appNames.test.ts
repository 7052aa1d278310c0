import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadInstances } from '../../../../src/cli/supervisor/instances.ts';
import { isAbandoned, isAppOf, reserveAppNames } from '../../../../src/cli/supervisor/pm2.ts';

const ECOSYSTEM = 'ecosystem.config.cjs';

let base: string;
let root: string;
let elsewhere: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'checkouts-'));
  [root, elsewhere] = [join(base, 'My Work'), join(base, 'other')];
  for (const folder of [root, elsewhere]) {
    mkdirSync(join(folder, 'envs'), { recursive: true });
    copyFileSync(join(import.meta.dirname, '../../../..', ECOSYSTEM), join(folder, ECOSYSTEM));
  }
});
afterEach(() => rmSync(base, { recursive: true }));

/** An app as PM2 has it from the ecosystem file of a folder. */
const app = (name: string, directory: string, namespace = 'claude-code-proxy') => ({
  name,
  namespace,
  directory,
  executable: join(directory, 'dist', 'claude-code-proxy'),
});

describe('the names of a checkout in PM2', () => {
  const names = (...rows: ReturnType<typeof app>[]) => reserveAppNames(root, rows, ['demo', 'kimi']);

  test('are plain as long as nobody else has them', () => {
    expect(names()).toEqual(['demo', 'kimi']);
    expect(names(app('demo', root), app('glm', '/gone'), app('other', '/srv', 'default'))).toEqual(['demo', 'kimi']);
  });

  test.each([
    ['another checkout runs anything', () => app('glm', elsewhere)],
    ['an app of something else has one of them', () => app('kimi', '/srv', 'default')],
  ])('have a suffix when %s, and keep it', (_why, other) => {
    expect(names(other())).toEqual(['demo@my-work', 'kimi@my-work']);
    expect(names()).toEqual(['demo@my-work', 'kimi@my-work']);
  });

  test('have another suffix where that is taken, too', () => {
    const others = [app('demo', elsewhere), app('x@my-work', elsewhere, 'claude-code-proxy@my-work')];
    expect(names(...others)).toEqual(['demo@my-work-2', 'kimi@my-work-2']);
  });

  test('are those that the ecosystem file gives to plain pm2; the instances keep their own', () => {
    writeFileSync(join(root, 'envs', 'demo.env'), 'PROVIDER=demo\n', { mode: 0o600 });
    names(app('demo', elsewhere));
    const [instance] = loadInstances(root);
    expect(instance?.name).toBe('demo');
    expect(instance?.app).toMatchObject({
      name: 'demo@my-work',
      namespace: 'claude-code-proxy@my-work',
      script: join(root, 'dist', 'claude-code-proxy'),
      cwd: root,
    });
  });
});

test('an app is of the checkout whose executable it runs, or whose ecosystem file PM2 got it from', () => {
  expect(isAppOf(app('any', root, 'default'), root)).toBe(true);
  expect(isAppOf({ ...app('demo', root), executable: '/usr/bin/bash' }, root)).toBe(true);
  expect(isAppOf({ ...app('demo', root, 'default'), executable: '/usr/bin/bash' }, root)).toBe(false);
  expect(isAppOf(app('demo', elsewhere), root)).toBe(false);
});

test('an app is abandoned when its checkout is gone; one of something else never is', () => {
  expect(isAbandoned(app('demo', elsewhere))).toBe(false);
  rmSync(join(elsewhere, ECOSYSTEM)); // its old process makes the folder anew, for its logs
  expect(isAbandoned(app('demo', elsewhere))).toBe(true);
  expect(isAbandoned(app('demo@work', '/gone', 'claude-code-proxy@work'))).toBe(true);
  expect(isAbandoned(app('demo', '/gone', 'default'))).toBe(false);
});
