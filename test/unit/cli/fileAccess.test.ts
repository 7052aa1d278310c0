import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkPm2Home, explainRefusal } from '../../../src/cli/fileAccess.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's mine-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** As if the present user were another than the owner of the test's files. */
const beSomebodyElse = () => vi.spyOn(process, 'getuid').mockReturnValue(statSync(root).uid + 1);

const refusal = (code: string, path: string) =>
  explainRefusal(Object.assign(new Error(`${code}: something, open '${path}'`), { code, path }), root);

describe('a file that may not be read or written', () => {
  test('on a read-only file system', () => {
    expect(refusal('EROFS', join(root, 'state/x'))).toBe(
      `${root} is read-only (its file system is mounted so), and ./manage keeps env files, logs and state there; clone it to a folder that you may write to`,
    );
    expect(refusal('EROFS', '/elsewhere/report.json')).toBe('/elsewhere/report.json is on a read-only file system');
  });

  test('in a checkout of another user', () => {
    beSomebodyElse();
    expect(refusal('EACCES', join(root, 'state/x'))).toMatch(
      /^this checkout \(.*\) belongs to \S+, and you may not write there; clone your own, or work as \S+$/,
    );
  });

  test('in a checkout of one’s own, by its mode: the nearest part of the path that there is', () => {
    const quoted = `'${root.replace("'", `'\\''`)}/logs'`;
    mkdirSync(join(root, 'logs'));
    chmodSync(join(root, 'logs'), 0o500);
    expect(refusal('EACCES', join(root, 'logs/demo/demo.log'))).toBe(
      `${root}/logs is write-protected or not readable; allow it with: chmod u+rwX ${quoted}`,
    );
  });

  test('of another user elsewhere, which can be taken over', () => {
    beSomebodyElse();
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    expect(refusal('EACCES', join(elsewhere, 'x'))).toMatch(/ belongs to \S+, .* sudo chown -R "\$\(id -u\)" '/);
    rmSync(elsewhere, { recursive: true });
  });

  test('any other error is left as it is', () => {
    expect(refusal('ENOENT', root)).toBeUndefined();
    expect(explainRefusal(new Error('EACCES'), root)).toBeUndefined();
    expect(explainRefusal('EACCES', root)).toBeUndefined();
    expect(refusal('EROFS', `${root}-other/x`)).toBe(`${root}-other/x is on a read-only file system`);
  });
});

describe('the folder of PM2', () => {
  const check = (more: Record<string, string> = {}) => checkPm2Home({ HOME: root, ...more });

  test('one’s own, and none yet, may be used', () => {
    expect(check).not.toThrow();
    mkdirSync(join(root, '.pm2'));
    writeFileSync(join(root, '.pm2/rpc.sock'), '');
    expect(check).not.toThrow();
  });

  test('one whose path is too long for a socket is refused', () => {
    expect(() => check({ PM2_HOME: `/tmp/${'ü'.repeat(50)}` })).toThrow(/has too long a path for a socket .* PM2_HOME/);
    expect(() => check({ PM2_HOME: `/tmp/${'u'.repeat(50)}` })).not.toThrow();
  });

  test('another’s folder is refused, and the home of the one who has called sudo', () => {
    const owner = statSync(root).uid;
    beSomebodyElse();
    expect(check).not.toThrow(); // as in a container, whose home may be anybody's
    expect(() => check({ SUDO_UID: String(owner) })).toThrow(
      /^PM2's folder .*\/\.pm2 is \S+'s, and only \S+ can manage/,
    );
    mkdirSync(join(root, '.pm2'));
    expect(check).toThrow(/^PM2's folder .*\/\.pm2 is \S+'s, and only \S+ can manage/);
  });
});
