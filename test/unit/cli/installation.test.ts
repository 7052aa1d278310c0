import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, win32 } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PLATFORM } from '../../../src/cli/buildStamp.ts';
import {
  describeAsInstalled,
  homeFolders,
  installedCommand,
  isInstalled,
  openHome,
} from '../../../src/cli/installation.ts';
import { executablePath } from '../../../src/host/workers.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

describe('the folders of a user', () => {
  const linux = { root: '/h/.local/state/claude-code-proxy', envs: '/h/.config/claude-code-proxy/envs' };
  const logs = '/h/.local/state/claude-code-proxy/logs';
  test.each([
    ['linux', {}, { ...linux, logs }],
    ['linux', { XDG_CONFIG_HOME: '/c' }, { ...linux, logs, envs: '/c/claude-code-proxy/envs' }],
    ['linux', { XDG_STATE_HOME: '/s' }, { ...linux, root: '/s/claude-code-proxy', logs: '/s/claude-code-proxy/logs' }],
    // The specification has relative ones and empty ones ignored.
    ['linux', { XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: '' }, { ...linux, logs }],
    ['freebsd', {}, { ...linux, logs }],
    [
      'darwin',
      { XDG_CONFIG_HOME: '/c' },
      {
        root: '/h/Library/Application Support/claude-code-proxy',
        envs: '/h/Library/Application Support/claude-code-proxy/envs',
        logs: '/h/Library/Logs/claude-code-proxy',
      },
    ],
    ['linux', { CCP_HOME: '/own', XDG_STATE_HOME: '/s' }, { root: '/own', envs: '/own/envs', logs: '/own/logs' }],
    ['darwin', { CCP_HOME: '/own' }, { root: '/own', envs: '/own/envs', logs: '/own/logs' }],
  ] as const)('%s with %j', (platform, environment, expected) => {
    expect(homeFolders(environment, platform, '/h')).toEqual(expected);
  });

  test('win32 parts what roams from what stays', () => {
    const data = { APPDATA: 'C:\\U\\R', LOCALAPPDATA: 'C:\\U\\L' };
    const root = win32.join('C:\\U\\L', 'claude-code-proxy');
    expect(homeFolders(data, 'win32', 'C:\\U')).toEqual({
      root,
      envs: 'C:\\U\\R\\claude-code-proxy\\envs',
      logs: `${root}\\logs`,
    });
    expect(homeFolders({}, 'win32', 'C:\\U').root).toBe('C:\\U\\AppData\\Local\\claude-code-proxy');
  });

  test('a relative CCP_HOME begins where the user is', () => {
    expect(homeFolders({ CCP_HOME: 'x' }, process.platform, '/h').root).toBe(join(process.cwd(), 'x'));
  });
});

describe('the home', () => {
  let base: string;
  let remove: () => void;
  let environment: Record<string, string>;
  const executable = executablePath('').slice('dist/'.length);

  /** A package as npm installs it; the others are in its own folder. */
  function placePackage(name: string, text: string): string {
    const folder = join(base, name, 'claude-code-proxy');
    const place = (path: string, content: string) => {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), content);
    };
    place(
      'package.json',
      JSON.stringify({ version: '1.2.3', optionalDependencies: { [`claude-code-proxy-${PLATFORM}`]: '1.2.3' } }),
    );
    place('bin/claude-code-proxy.cjs', text);
    place('ecosystem.config.cjs', text);
    place('scripts/statusline.cjs', text);
    place('envs/demo.env.example', text);
    place(`node_modules/claude-code-proxy-${PLATFORM}/package.json`, '{}');
    place(`node_modules/claude-code-proxy-${PLATFORM}/${executable}`, text);
    place(`node_modules/claude-code-proxy-${PLATFORM}/build.json`, text);
    place('node_modules/pm2/package.json', '{}');
    place('dist/page/index.html', text);
    return folder;
  }

  beforeEach(() => {
    ({ path: base, remove } = temporaryFolder());
    environment = { HOME: join(base, 'home') };
  });
  afterEach(() => remove());

  test('looks like a checkout, and is for its owner alone', () => {
    const root = openHome(placePackage('one', 'first'), environment);
    expect(isInstalled(root)).toBe(true);
    expect(isInstalled(join(import.meta.dirname, '..', '..', '..'))).toBe(false);
    for (const path of ['envs', 'logs', 'state']) expect(statSync(join(root, path)).isDirectory()).toBe(true);
    expect(readFileSync(executablePath(root), 'utf8')).toBe('first');
    for (const path of [
      'ecosystem.config.cjs',
      'scripts/statusline.cjs',
      'envs/demo.env.example',
      'dist/build.json',
      'dist/page/index.html',
    ])
      expect(readFileSync(join(root, path), 'utf8')).toBe('first');
    expect(existsSync(join(root, 'node_modules', 'pm2', 'package.json'))).toBe(true);
    expect(lstatSync(join(root, 'ecosystem.config.cjs')).isSymbolicLink()).toBe(false); // it finds the home by its own path
    for (const path of [root, join(root, 'envs')]) expect(statSync(path).mode & 0o077).toBe(0);
  });

  test('leads to another package once that is used, and keeps what the user has', () => {
    const root = openHome(placePackage('one', 'first'), environment);
    writeFileSync(join(root, 'envs', 'demo.env'), 'PORT=1\n');
    writeFileSync(join(root, 'state', 'demo.usage.sqlite'), 'usage');
    expect(openHome(placePackage('two', 'second'), environment)).toBe(root);
    expect(readFileSync(executablePath(root), 'utf8')).toBe('second');
    for (const path of ['ecosystem.config.cjs', 'dist/build.json', 'dist/page/index.html'])
      expect(readFileSync(join(root, path), 'utf8')).toBe('second');
    expect(readlinkSync(join(root, 'bin'))).toContain(join(base, 'two'));
    expect(readFileSync(join(root, 'envs', 'demo.env'), 'utf8')).toBe('PORT=1\n');
    expect(readFileSync(join(root, 'state', 'demo.usage.sqlite'), 'utf8')).toBe('usage');
  });

  test('is not written again where nothing has changed', () => {
    const folder = placePackage('one', 'first');
    const root = openHome(folder, environment);
    const seen = () =>
      ['', 'dist', 'dist/page', 'envs', 'manage', 'ecosystem.config.cjs'].map(
        (path) => lstatSync(join(root, path)).mtimeMs,
      );
    const before = seen();
    openHome(folder, environment);
    expect(seen()).toEqual(before);
  });

  test('keeps a folder that stands where a link would be, and has all in one with CCP_HOME', () => {
    const root = join(base, 'home', '.local', 'state', 'claude-code-proxy');
    mkdirSync(join(root, 'envs'), { recursive: true });
    openHome(placePackage('one', 'first'), environment);
    expect(lstatSync(join(root, 'envs')).isDirectory()).toBe(true);
    const own = openHome(placePackage('one', 'first'), { ...environment, CCP_HOME: join(base, 'own') });
    expect(own).toBe(join(base, 'own'));
    for (const path of ['envs', 'logs']) expect(lstatSync(join(own, path)).isDirectory()).toBe(true);
    expect(readlinkSync(executablePath(own))).toContain(join(base, 'one'));
  });

  test.each([
    [
      'the executable',
      `claude-code-proxy-${PLATFORM}`,
      /which holds the executable, is not installed .*; run: npm install -g --include=optional claude-code-proxy@1\.2\.3$/,
    ],
    ['PM2', 'pm2', /^PM2 is missing beside .*; run: npm install -g --include=optional claude-code-proxy@1\.2\.3$/],
  ])('is not made without %s', (_what, name, sentence) => {
    const folder = placePackage('one', 'first');
    rmSync(join(folder, 'node_modules', name), { recursive: true });
    expect(() => openHome(folder, environment)).toThrow(sentence);
    expect(existsSync(environment['HOME'] ?? '')).toBe(false);
  });
});

describe('words of an installed one', () => {
  const rename = describeAsInstalled('/prefix/claude-code-proxy', { HOME: '/h' });
  test.each([
    ['Made envs/demo.env from the examples.', 'Made ~/.config/claude-code-proxy/envs/demo.env from the examples.'],
    ['mv envs/a envs/b', 'mv ~/.config/claude-code-proxy/envs/a ~/.config/claude-code-proxy/envs/b'],
    ['see logs/demo/demo.log', 'see ~/.local/state/claude-code-proxy/logs/demo/demo.log'],
    ['docs/TROUBLESHOOTING.md', '/prefix/claude-code-proxy/docs/TROUBLESHOOTING.md'],
    ['run: npm ci --include=optional', 'run: npm install -g claude-code-proxy'],
    ['make it with: npm run build', 'make it with: npm install -g claude-code-proxy'],
    ['/srv/envs/demo.env and ../logs/x', '/srv/envs/demo.env and ../logs/x'],
  ])('%s', (text, expected) => {
    if (process.platform === 'linux') expect(rename(text)).toBe(expected);
  });

  test('the command is its name where PATH leads to it, else its path, and npx as npx', () => {
    const { path, remove } = temporaryFolder();
    mkdirSync(join(path, 'bin'));
    writeFileSync(join(path, 'program'), '');
    symlinkSync(join(path, 'program'), join(path, 'bin', 'ccp'));
    const script = join(path, 'bin', 'ccp');
    expect(installedCommand(script, { PATH: `/nowhere:${path}/bin` })).toBe('ccp');
    expect(installedCommand(script, { PATH: '/nowhere' })).toBe(script);
    expect(installedCommand('/a b/ccp', {})).toBe("'/a b/ccp'");
    expect(installedCommand(script, { npm_command: 'exec' })).toBe('npx claude-code-proxy');
    remove();
  });
});
