import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';

const launcher = resolve(import.meta.dirname, '../../manage');
const tools = 'sh bash find readlink ln rm mkdir rmdir sleep dirname uname touch cat chmod cp'.split(' ');

/** Stands for the pinned Node: writes down the builds and the manager that it ran, prints what it was asked to manage. */
const pinnedNode = `#!/bin/sh
case $1 in --*-size=*) shift ;; esac
case $1 in
  --version) echo v26.10.0 ;;
  scripts/build.ts) echo build >> builds; mkdir -p dist; cp manage dist/claude-code-proxy; touch dist/manager.cjs dist/build.json ;;
  scripts/manage.ts | dist/manager.cjs) echo "$1" > ran; shift; echo "$MANAGE_CALLED_AS" > called; printf '%s|' "$PWD" "$INIT_CWD" "$@"; exit 7 ;;
esac
`;

/** Stands for npm: installs the pinned Node, and waits for the file "go" if there is a file "hold". */
const npm = `#!/bin/sh
echo "$@" >> installs
while [ -e hold ] && [ ! -e go ]; do sleep 0.02; done
rm -rf node_modules; mkdir -p node_modules/.bin
cp pinned node_modules/.bin/node; chmod +x node_modules/.bin/node
echo {} > node_modules/.package-lock.json
`;

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

let root = '';

function write(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode });
}

/** Dates a file by seconds from now. */
function date(path: string, seconds: number): void {
  const moment = Date.now() / 1000 + seconds;
  utimesSync(join(root, path), moment, moment);
}

function lines(path: string): string[] {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8').trim().split('\n') : [];
}

function start(shell: string, parameters: string[], script = 'manage'): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(join(root, 'tools', shell), [script, ...parameters], {
    cwd: root,
    env: { PATH: join(root, 'tools') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Outcome> {
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}

/** A process id that belonged to a process which is gone. */
function deadProcess(): string {
  return execFileSync('/bin/sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')));
  copyFileSync(launcher, join(root, 'manage'));
  for (const path of ['package.json', 'package-lock.json', 'src/main.ts', 'scripts/build/part.ts', 'src/cli/part.ts']) {
    write(path, '');
    date(path, -60);
  }
  for (const path of ['src', 'scripts', 'scripts/build', 'src/cli']) date(path, -60);
  write('pinned', pinnedNode);
  write('tools/npm', npm, 0o755);
  write('tools/node', '#!/bin/sh\necho v20.1.0\n', 0o755);
  for (const tool of tools) {
    const path = execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(root, 'tools', tool));
  }
});
afterEach(() => rmSync(root, { recursive: true }));

describe.each(['sh', 'bash'])('with %s', (shell) => {
  const manage = (...parameters: string[]): Promise<Outcome> => outcome(start(shell, parameters));

  test('a fresh clone is installed and built, which is said on stderr; then the manager runs', async () => {
    const { status, stdout, stderr } = await manage('start', 'a b');
    expect(stdout).toBe(`${root}|${root}|start|a b|`);
    expect(status).toBe(7);
    expect(stderr).toMatch(
      /installing the dependencies.*\n.*installed.*\n.*building dist\/claude-code-proxy.*\n.*built/,
    );
    expect(lines('installs')).toEqual(['ci --include=dev --include=optional']);
    expect(lines('builds')).toEqual(['build']);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });

  test('the manager learns how it was called, so that its hints can be pasted', async () => {
    const called = async (script: string, path = join(root, 'tools')) => {
      const command = spawn(script, ['status'], {
        cwd: join(root, 'src'),
        env: { PATH: path },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      await outcome(command);
      return lines('called')[0];
    };
    expect(await called('../manage')).toBe('../manage');
    expect(await called(join(root, 'manage'))).toBe(join(root, 'manage'));
    symlinkSync(join(root, 'manage'), join(root, 'tools', 'claude-proxy'));
    expect(await called('claude-proxy')).toBe('claude-proxy');
    expect(await called('../tools/claude-proxy')).toBe('../tools/claude-proxy');
    await outcome(start(shell, ['status']));
    expect(lines('called')[0]).toBe('./manage');
  });

  test.each([
    [[], /^Run Claude Code on any model provider/],
    [['--help'], /^Run Claude Code on any model provider/],
    [['help'], /^Run Claude Code on any model provider/],
    [['start', '--help'], /^Start instances and wait until they answer\.\n\nExamples\n {2}\.\/manage start all /],
    [['help', 'start'], /^Start instances and wait/],
    [['run', 'demo', '-h'], /^Run Claude Code through an instance/],
  ])('help for %j installs nothing, writes nothing and is quick', async (parameters, expected) => {
    mkdirSync(join(root, 'docs'));
    copyFileSync(resolve(import.meta.dirname, '../../docs/COMMANDS.md'), join(root, 'docs/COMMANDS.md'));
    const before = readdirSync(root);
    const results: (Outcome & { elapsed: number })[] = [];
    for (let round = 0; round < 3; round += 1) {
      const startedAt = performance.now();
      results.push({ ...(await manage(...parameters)), elapsed: performance.now() - startedAt });
    }
    for (const { status, stderr, stdout } of results) {
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(expected);
    }
    expect(Math.min(...results.map(({ elapsed }) => elapsed))).toBeLessThan(100);
    expect([readdirSync(root), lines('installs')]).toEqual([before, []]);
  });

  test('the help of a fresh clone names the manager as it was called', async () => {
    mkdirSync(join(root, 'docs'));
    copyFileSync(resolve(import.meta.dirname, '../../docs/COMMANDS.md'), join(root, 'docs/COMMANDS.md'));
    const child = spawn('../manage', ['help', 'status'], {
      cwd: join(root, 'src'),
      env: { PATH: join(root, 'tools') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout } = await outcome(child);
    expect(stdout).toContain('\n  ../manage status demo --json  one of them');
    expect(stdout).not.toContain(' ./manage');
  });

  test('words behind -- are no question for help', async () => {
    mkdirSync(join(root, 'docs'));
    copyFileSync(resolve(import.meta.dirname, '../../docs/COMMANDS.md'), join(root, 'docs/COMMANDS.md'));
    expect((await manage('run', 'demo', '--', '--help')).stdout).toContain('run|demo|--|--help|');
  });

  test.runIf(hasPseudoTerminal)('on a terminal a sign moves while it installs, and leaves no trace', async () => {
    write('hold', '');
    const program = runInTerminal([join(root, 'tools', shell), 'manage', 'status'], {
      columns: 80,
      folder: root,
      environment: { PATH: `${join(root, 'tools')}:${process.env['PATH']}`, TERM: 'xterm' },
    });
    await program.waitFor(/ {2}[|/\\-] 1 s /);
    write('go', '');
    await once(program.process, 'close');
    expect(program.shown()).toMatch(/\r {12}\rmanage: dependencies installed\./);
    expect(lines('ran')).toEqual(['scripts/manage.ts']);
  });

  test('the second time nothing is done and nothing is said', async () => {
    await manage('start', 'all');
    const { stdout, stderr } = await manage('start', 'all');
    expect(stdout).toContain('start|all|');
    expect(stderr).toBe('');
    expect(lines('installs')).toHaveLength(1);
    expect(lines('builds')).toHaveLength(1);
  });

  test.each([[['status']], [['stop', 'all']], [['logs', 'glm']], [['--help']], [[]]])(
    'manage %j does not need the executable',
    async (parameters) => {
      const { stdout } = await manage(...parameters);
      expect(stdout).toBe(`${[root, root, ...parameters].join('|')}|`);
      expect(lines('builds')).toEqual([]);
    },
  );

  test.each([[['start']], [['restart', 'glm']], [['--json', 'start']]])('manage %j needs it', async (parameters) => {
    await manage(...parameters);
    expect(lines('builds')).toEqual(['build']);
  });

  test('a newer lock file is installed again, even one dated in the future only once', async () => {
    await manage('status');
    date('package-lock.json', 600);
    expect((await manage('status')).stderr).toContain('installing');
    expect((await manage('status')).stderr).toBe('');
  });

  test('another project’s node_modules, behind a link, are not emptied', async () => {
    write('elsewhere/.package-lock.json', '{}');
    symlinkSync('elsewhere', join(root, 'node_modules'));
    const { status, stderr } = await manage('status');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^manage: node_modules is a link to elsewhere, .*run npm ci there, or remove the link\.\n$/);
    expect(lines('installs')).toEqual([]);
  });

  test.each(['src/main.ts', 'src', 'scripts/build/part.ts', 'src/cli/part.ts', 'package.json'])(
    'a newer %s is built again',
    async (path) => {
      await manage('start');
      date(path, 60);
      await manage('status');
      expect(lines('builds')).toHaveLength(1);
      expect((await manage('start')).stderr).toMatch(/^manage: building[^\n]*\nmanage: built\.\n$/);
      expect(lines('builds')).toHaveLength(2);
    },
  );

  test('the manager is run from one file once that is built', async () => {
    await manage('status');
    expect(lines('ran')).toEqual(['scripts/manage.ts']);
    await manage('start');
    expect(lines('ran')).toEqual(['dist/manager.cjs']);
    await manage('status');
    expect(lines('ran')).toEqual(['dist/manager.cjs']);
  });

  test.each<[string, () => void]>([
    ['was edited', () => date('src/main.ts', 0)],
    ['of the manager was edited', () => date('src/cli/part.ts', 0)],
    ['was added', () => write('src/another.ts', '')],
    ['was removed', () => rmSync(join(root, 'src/main.ts'))],
    ['was renamed', () => renameSync(join(root, 'src/cli/part.ts'), join(root, 'src/cli/other.ts'))],
    ['was updated among the packages', () => date('package-lock.json', -20)],
  ])('after a source %s, the manager is run from its sources, without a build', async (_what, change) => {
    await manage('start');
    date('dist/build.json', -30);
    date('node_modules/.package-lock.json', 0);
    change();
    const { stderr } = await manage('status');
    expect(lines('ran')).toEqual(['scripts/manage.ts']);
    expect(stderr).toBe('');
    expect(lines('builds')).toHaveLength(1);
  });

  test.each(['dist/manager.cjs', 'dist/build.json'])(
    'without %s the manager is run from its sources, and start builds again',
    async (path) => {
      await manage('start');
      rmSync(join(root, path));
      await manage('status');
      expect(lines('ran')).toEqual(['scripts/manage.ts']);
      await manage('start');
      expect(lines('ran')).toEqual(['dist/manager.cjs']);
      expect(lines('builds')).toHaveLength(2);
    },
  );

  test('twenty at once in a fresh clone: one installs and builds, the others wait and say so', async () => {
    write('hold', '');
    const children = Array.from({ length: 20 }, () => start(shell, ['start', 'all']));
    const outcomes = children.map(outcome);
    let waiting = 0;
    await new Promise<void>((everybodyWaits) => {
      for (const child of children) {
        child.stderr.on('data', (chunk) => {
          if (String(chunk).includes('waiting for process') && ++waiting === 19) everybodyWaits();
        });
      }
    });
    write('go', '');
    for (const { status, stdout } of await Promise.all(outcomes)) {
      expect(status).toBe(7);
      expect(stdout).toContain('start|all|');
    }
    expect(lines('installs')).toHaveLength(1);
    expect(lines('builds')).toHaveLength(1);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });

  test('the lock of a process that is gone is taken over, by twenty at once too', async () => {
    mkdirSync(join(root, 'state'));
    symlinkSync(deadProcess(), join(root, 'state/launcher.lock'));
    await Promise.all(Array.from({ length: 20 }, () => manage('start')));
    expect(lines('installs')).toHaveLength(1);
    expect(lines('builds')).toHaveLength(1);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });

  test('it works from elsewhere, through symbolic links, and passes on to the manager where it was called', async () => {
    const elsewhere = join(root, 'else where');
    mkdirSync(elsewhere);
    symlinkSync('../manage', join(elsewhere, 'first'));
    symlinkSync(join(elsewhere, 'first'), join(elsewhere, 'second'));
    const { stdout } = await outcome(start(shell, ['status'], join(elsewhere, 'second')));
    expect(stdout).toBe(`${root}|${root}|status|`);
  });

  test.each<[string, () => void, RegExp]>([
    ['npm is missing', () => rmSync(join(root, 'tools/npm')), /not on PATH: npm\. Install Node\.js 20/],
    ['node is missing', () => rmSync(join(root, 'tools/node')), /not on PATH: node\. /],
    [
      'node is too old',
      () => write('tools/node', '#!/bin/sh\necho v18.20.0\n'),
      /needs Node\.js 20 or newer; .*node is v18\.20\.0/,
    ],
    [
      'npm ci fails',
      () => write('tools/npm', '#!/bin/sh\necho out of disk >&2; exit 1\n'),
      /out of disk\n.*npm ci failed/,
    ],
    [
      'no pinned Node comes',
      () => write('tools/npm', '#!/bin/sh\nmkdir node_modules\n'),
      /no Node\.js for this platform/,
    ],
    [
      'the build fails',
      () => write('pinned', '#!/bin/sh\n[ $1 = --version ] || { echo bad code; exit 1; }\n'),
      /bad code\n.*build failed/,
    ],
  ])('when %s it says so, exits with 1 and leaves no lock', async (_name, breakIt, words) => {
    breakIt();
    const { status, stdout, stderr } = await manage('start');
    expect(stderr).toMatch(words);
    expect(stdout).toBe('');
    expect(status).toBe(1);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });

  test('an interrupted installation leaves no lock and is done anew', async () => {
    write('hold', '');
    const child = start(shell, ['status']);
    const ended = outcome(child);
    await once(child.stderr, 'data');
    child.kill('SIGTERM');
    write('go', '');
    expect((await ended).status).toBe(143);
    expect(readdirSync(join(root, 'state'))).toEqual([]);
  });
});

test('when the lock cannot be made it gives up with a clear line', async () => {
  write('state/launcher.lock', 'not a symbolic link');
  const { status, stderr } = await outcome(start('sh', ['status']));
  expect(stderr).toBe(`manage: cannot make the lock ${root}/state/launcher.lock\n`);
  expect(status).toBe(1);
});
