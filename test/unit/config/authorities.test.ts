import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createAuthority } from '../../helpers/certificate.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

const one = createAuthority('One').cert;
const two = createAuthority('Two').cert;

function load(lines: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  mkdirSync(join(path, 'folder'));
  writeFileSync(join(path, 'work.env'), ['PROVIDER=kimi', ...lines].join('\n'), { mode: 0o600 });
  return { folder: path, ...loadConfig('work.env', { CA_FILE: '/elsewhere', SYSTEM_CA: 'on' }, path) };
}

test('without the settings nothing is added, whatever the shell says', () => {
  expect(load([]).config?.authorities).toEqual({ file: undefined, certificates: [], system: false });
});

test('the certificates of the file, words between them left out; the file is watched', () => {
  const text = `Company root, 2026\n${one}\nsubject=CN=Two\r\n${two.replaceAll('\n', '\r\n')}`;
  const { config, problems, files, folder } = load(['CA_FILE=company.pem', 'SYSTEM_CA=on'], { 'company.pem': text });
  expect(problems).toEqual([]);
  expect(config?.authorities).toMatchObject({ file: 'company.pem', system: true });
  expect(config?.authorities.certificates).toHaveLength(2);
  expect(files).toContain(join(folder, 'company.pem'));
  expect(config && describeConfig(config).find((line) => line.startsWith('authorities'))).toBe(
    'authorities    the usual ones, 2 of company.pem, those of this machine',
  );
});

test('another certificate is another configuration', () => {
  const hashOf = (text: string) =>
    load(['PORT=1', 'LOG_DIR=/a', 'STATE_DIR=/b', 'CA_FILE=x.pem'], { 'x.pem': text }).config?.hash;
  expect(hashOf(one)).toBe(hashOf(one));
  expect(hashOf(one)).not.toBe(hashOf(two));
});

test.each([
  ['is missing', {}, 'x.pem', 'the file "x.pem", which cannot be read (ENOENT)'],
  ['is a folder', {}, 'folder', 'the file "folder", which cannot be read (EISDIR)'],
  ['is empty', { 'x.pem': '' }, 'x.pem', 'the file "x.pem", which holds no certificate in PEM'],
  ['is in DER', { 'x.pem': '\u0030\u0082\u0001' }, 'x.pem', 'the file "x.pem", which holds no certificate in PEM'],
  [
    'holds a broken one',
    { 'x.pem': `${one}${two.replace(/MII../, 'AAAA')}` },
    'x.pem',
    'the file "x.pem", which holds a broken certificate',
  ],
])('a file that %s is an error of its line', (_name, files, path, found) => {
  const { config, problems } = load(['PORT=1', `CA_FILE=${path}`], files as Record<string, string>);
  expect(config).toBeUndefined();
  expect(problems).toMatchObject([{ file: 'work.env', line: 3, key: 'CA_FILE', severity: 'error', found }]);
});

test('SYSTEM_CA takes on and off', () => {
  expect(load(['SYSTEM_CA=yes']).problems).toMatchObject([
    { line: 2, severity: 'error', fix: expect.stringMatching(/on.*off/) },
  ]);
});
