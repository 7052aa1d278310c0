import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, readlink, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { hashSources, PLATFORM, writeStamp } from '../../src/cli/buildStamp.ts';
import { createProject, freePort, type TemporaryProject } from './temporaryProject.ts';

interface FindingRow {
  readonly check: string;
  readonly instance: string | null;
  readonly result: string;
  readonly detail: string;
  readonly remedy: string | null;
  readonly fixable: boolean;
}

const FAKE_CLAUDE = resolve(import.meta.dirname, 'fakeClaude.mjs');

let project: TemporaryProject;
let goodPort: number;
const inProject = (...parts: string[]) => join(project.root, ...parts);
/** The user's home. */
const atHome = (...parts: string[]) => join(dirname(project.root), ...parts);

async function doctor(words: readonly string[] = [], environment: Record<string, string> = {}) {
  const variables = { CLAUDE_BIN: FAKE_CLAUDE, ...environment };
  const { code, stdout } = await project.manage(['doctor', '--json', ...words], variables);
  const { schema, ok, findings, mended: repaired } = JSON.parse(stdout);
  expect(schema).toBe(1);
  expect(ok).toBe(code === 0);
  return { code, repaired: repaired as string[], findings: findings as FindingRow[] };
}

const troubles = (findings: readonly FindingRow[]) => findings.filter(({ result }) => result !== 'ok');

async function stamp(changes: Partial<Parameters<typeof writeStamp>[1]> = {}): Promise<void> {
  const sourceHash = await hashSources(project.root);
  const builtAt = new Date(Date.now() - 3_600_000).toISOString();
  await writeStamp(project.root, { version: '0.0.0-fake', platform: PLATFORM, sourceHash, builtAt, ...changes });
}

/** Writes a file, makes its folder, and takes it away when the test ends. */
async function place(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode });
  onTestFinished(() => rm(path, { force: true }));
}

/** Changes a file, and puts it back when the test ends. */
async function change(path: string, edit: (text: string) => string): Promise<void> {
  const before = await readFile(path, 'utf8');
  await writeFile(path, edit(before));
  onTestFinished(() => writeFile(path, before));
}

async function addInstance(name: string, lines: readonly string[] = []): Promise<number> {
  onTestFinished(() => rm(inProject('envs', `${name}.env`), { force: true }));
  return project.addInstance(name, lines);
}

beforeAll(async () => {
  project = await createProject();
  const repository = resolve(import.meta.dirname, '..', '..');
  await cp(join(repository, 'package-lock.json'), inProject('package-lock.json'));
  await stamp();
  goodPort = await project.addInstance('good');
  expect((await project.manage(['start', 'good'])).code).toBe(0);
});
afterAll(() => project.dispose());

test('all is well: a line for each check, exit status 0', async () => {
  const { code, findings } = await doctor();
  expect(troubles(findings)).toEqual([]);
  expect(new Set(findings.map(({ check }) => check))).toEqual(
    new Set([
      'runtime',
      'executable',
      'folders',
      'locks',
      'disk',
      'env file',
      'PM2',
      'instance',
      'shell',
      'claude',
      'Claude Code',
    ]),
  );
  expect(code).toBe(0);

  const { stdout, stderr } = await project.manage(['doctor'], { CLAUDE_BIN: FAKE_CLAUDE });
  expect(stdout).toMatch(/^ok {4}runtime +Node\.js v\d+\.\d+\.\d+, as pinned$/m);
  expect(stdout).toMatch(/^ok {4}instance good +ready on 127\.0\.0\.1:\d+, pid \d+$/m);
  expect(stderr).toContain('no failures, no warnings.\n');
  expect(stderr).toContain('--online asks them');
  expect((await project.manage(['doctor', '--quiet'], { CLAUDE_BIN: FAKE_CLAUDE })).stdout).toBe('');
});

interface Fault {
  readonly name: string;
  /** Makes the fault, and puts it right when the test ends; may give variables for the shell. */
  make(): Promise<Record<string, string> | undefined>;
  readonly check: string;
  readonly instance?: string;
  readonly result: 'warn' | 'fail';
  readonly detail: RegExp;
  readonly remedy?: RegExp;
  readonly fixable?: boolean;
}

const faults: readonly Fault[] = [
  {
    name: 'no Claude Code',
    make: async () => ({ CLAUDE_BIN: '', PATH: dirname(process.execPath) }),
    check: 'claude',
    result: 'warn',
    detail: /^claude is not on PATH$/,
    remedy: /^install it .* CLAUDE_BIN=/,
  },
  {
    name: 'another Node.js than the pinned one',
    make: async () => {
      await change(inProject('package.json'), (text) => text.replaceAll(process.version.slice(1), '99.0.0'));
      await stamp();
      onTestFinished(() => stamp());
      return undefined;
    },
    check: 'runtime',
    result: 'fail',
    detail: /runs this, but package\.json pins v99\.0\.0$/,
    remedy: /^npm ci --include=optional$/,
  },
  {
    name: 'no executable',
    make: async () => {
      await rename(inProject('dist', 'claude-code-proxy'), inProject('dist', 'away'));
      onTestFinished(() => rename(inProject('dist', 'away'), inProject('dist', 'claude-code-proxy')));
      return undefined;
    },
    check: 'executable',
    result: 'fail',
    detail: /^dist\/claude-code-proxy is missing$/,
    remedy: /^npm run build$/,
  },
  {
    name: 'an executable of unknown sources',
    make: async () => {
      await rm(inProject('dist', 'build.json'));
      onTestFinished(() => stamp());
      return undefined;
    },
    check: 'executable',
    result: 'warn',
    detail: /does not say what it was built from$/,
    remedy: /^npm run build$/,
  },
  {
    name: 'an executable for another machine',
    make: async () => {
      await stamp({ platform: 'plan9-mips' });
      onTestFinished(() => stamp());
      return undefined;
    },
    check: 'executable',
    result: 'fail',
    detail: /was built for plan9-mips$/,
    remedy: /^npm run build$/,
  },
  {
    name: 'an executable of older sources',
    make: async () => {
      await change(inProject('src', 'version.ts'), (text) => `${text}// changed\n`);
      return undefined;
    },
    check: 'executable',
    result: 'warn',
    detail: /was built 1h 0m ago, from other sources than there are now$/,
    remedy: /^npm run build$/,
  },
  {
    name: 'an instance that runs since before the build',
    make: async () => {
      await stamp({ builtAt: new Date(Date.now() + 60_000).toISOString() });
      onTestFinished(() => stamp());
      return undefined;
    },
    check: 'executable',
    instance: 'good',
    result: 'warn',
    detail: /^runs an older build than there is now$/,
    remedy: /^\.\/manage reload good$/,
  },
  {
    name: 'something in the way of a folder',
    make: async () => void (await addInstance('odd', ['LOG_DIR=package.json/logs'])),
    check: 'folders',
    result: 'fail',
    detail: /^package\.json\/logs is not a folder$/,
  },
  {
    name: 'logs beyond their limit',
    make: async () => {
      await addInstance('odd', ['LOG_MAX_TOTAL=1M', 'LOG_MAX_SIZE=100K']);
      await place(inProject('logs', 'odd', 'foreign'), 'x'.repeat(2_000_000));
      return undefined;
    },
    check: 'disk',
    instance: 'odd',
    result: 'warn',
    detail: /^its logs take 2 MB, more than the 1 MB of its env file$/,
  },
  {
    name: 'an env file with a mistake',
    make: async () => void (await addInstance('bad', ['MAX_RETRIES=banana'])),
    check: 'env file',
    instance: 'bad',
    result: 'fail',
    detail: /^envs\/bad\.env:4 {2}MAX_RETRIES: found "banana"/,
    remedy: /./,
  },
  {
    name: 'an env file with a name that is none',
    make: async () => void (await place(inProject('envs', 'Bad_Name!.env'), '')),
    check: 'env file',
    result: 'warn',
    detail: /^envs\/Bad_Name!\.env is not used/,
  },
  {
    name: 'two env files with one port',
    make: async () => {
      await addInstance('twin');
      await change(inProject('envs', 'twin.env'), (text) => text.replace(/PORT=\d+/, `PORT=${goodPort}`));
      return undefined;
    },
    check: 'env file',
    instance: 'twin',
    result: 'fail',
    detail: /^envs\/twin\.env:2 {2}PORT: found \d+, which is also the port of good\.env$/,
  },
  {
    name: 'a port that somebody else has',
    make: async () => {
      const server = createServer((socket) => socket.resume().end('hello\r\n'));
      server.listen(await addInstance('thief'), '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => void server.close());
      return undefined;
    },
    check: 'instance',
    instance: 'thief',
    result: 'fail',
    detail: /^port \d+ is held by pid \d+ \([^;]*$/,
    remedy: /\.\/manage edit thief$/,
  },
  {
    name: 'older settings',
    make: async () => void (await change(inProject('envs', 'good.env'), (text) => `${text}MAX_RETRIES=1\n`)),
    check: 'instance',
    instance: 'good',
    result: 'warn',
    detail: /^runs with older settings than envs\/good\.env holds$/,
    remedy: /^\.\/manage reload good$/,
  },
  {
    name: 'P3 an instance that crashes again and again',
    make: async () => {
      await addInstance('crash');
      await project.manage(['start', 'crash']);
      onTestFinished(async () => void (await project.manage(['stop', 'crash'])));
      return undefined;
    },
    check: 'instance',
    instance: 'crash',
    result: 'fail',
    detail: /logs\/crash\/console\.log says why$/,
    remedy: /^\.\/manage restart crash$/,
  },
  {
    name: 'a process that nobody knows any more',
    make: async () => {
      await addInstance('stray');
      const file = inProject('envs', 'stray.env');
      const stray = spawn(inProject('dist', 'claude-code-proxy'), ['--env', file], { cwd: project.root });
      onTestFinished(() => void stray.kill('SIGKILL'));
      await once(stray.stdout, 'data');
      await change(file, (text) => text.replace(/PORT=\d+/, `PORT=${freed}`));
      return undefined;
    },
    check: 'processes',
    result: 'warn',
    detail: /^pid \d+ runs with stray\.env, unknown to PM2 and to any port$/,
    remedy: /^kill \d+$/,
  },
  {
    name: 'a PM2 daemon of another version',
    make: async () => {
      const code = "process.title = 'PM2 v6.0.5: God Daemon (/home)'; console.log('up'); setInterval(() => {}, 1000)";
      const daemon = spawn(process.execPath, ['-e', code, 'x'.repeat(80)], { stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => void daemon.kill());
      await once(daemon.stdout, 'data');
      await change(join(project.pm2Home, 'pm2.pid'), () => String(daemon.pid));
      return undefined;
    },
    check: 'PM2',
    result: 'warn',
    detail: /^the daemon is version 6\.0\.5, installed is \d/,
    remedy: /^\.\/manage pm2 update/,
  },
  {
    name: 'the user’s Claude Code settings',
    make: async () => {
      const env = { ANTHROPIC_BASE_URL: 'http://user:secret@elsewhere', ANTHROPIC_API_KEY: '', DISABLE_TELEMETRY: '1' };
      await place(atHome('.claude', 'settings.json'), JSON.stringify({ env, apiKeyHelper: '/bin/key' }));
      return undefined;
    },
    check: 'Claude Code',
    result: 'warn',
    detail: /\.claude\/settings\.json sets ANTHROPIC_BASE_URL, apiKeyHelper, before the shell’s$/,
    remedy: /\.\/manage run NAME/,
  },
  {
    name: 'a model in the user’s Claude Code settings that only an instance knows',
    make: async () => {
      await place(atHome('.claude', 'settings.json'), JSON.stringify({ model: 'claude-mock--mock-model' }));
      return undefined;
    },
    check: 'Claude Code',
    result: 'warn',
    detail: /settings\.json has the model "claude-mock--mock-model" for every session, which only an instance knows$/,
    remedy: /\.\/manage doctor --fix/,
    fixable: true,
  },
  {
    name: 'Claude Code settings in the folder of CLAUDE_CONFIG_DIR',
    make: async () => {
      await place(atHome('other', 'settings.json'), JSON.stringify({ env: { ANTHROPIC_MODEL: 'opus' } }));
      return { CLAUDE_CONFIG_DIR: atHome('other') };
    },
    check: 'Claude Code',
    result: 'warn',
    detail: /other\/settings\.json sets ANTHROPIC_MODEL, before/,
  },
  {
    name: 'a project’s Claude Code settings',
    make: async () => {
      const env = { CLAUDE_CODE_USE_BEDROCK: '1' };
      await place(atHome('work', '.claude', 'settings.local.json'), JSON.stringify({ env }));
      return { INIT_CWD: atHome('work') };
    },
    check: 'Claude Code',
    result: 'warn',
    detail: /work\/\.claude\/settings\.local\.json sets CLAUDE_CODE_USE_BEDROCK, before/,
  },
  {
    name: 'broken Claude Code settings',
    make: async () => void (await place(atHome('.claude', 'settings.json'), '{ "env": ')),
    check: 'Claude Code',
    result: 'warn',
    detail: /settings\.json is not JSON/,
  },
  {
    name: 'a shell that leads claude elsewhere',
    make: async () => ({ ANTHROPIC_BASE_URL: 'http://user:secret@elsewhere:1' }),
    check: 'shell',
    result: 'warn',
    detail: /^ANTHROPIC_BASE_URL leads claude elsewhere$/,
    remedy: /^unset ANTHROPIC_BASE_URL$/,
  },
  {
    name: 'a shell that leads claude to another service',
    make: async () => ({ CLAUDE_CODE_USE_VERTEX: '1' }),
    check: 'shell',
    result: 'warn',
    detail: /^CLAUDE_CODE_USE_VERTEX leads claude elsewhere$/,
  },
  {
    name: 'both of Anthropic’s credentials',
    make: async () => ({ ANTHROPIC_API_KEY: 'secret', ANTHROPIC_AUTH_TOKEN: 'secret' }),
    check: 'shell',
    result: 'warn',
    detail: /^both ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set/,
    remedy: /^unset ANTHROPIC_API_KEY$/,
  },
  {
    name: 'a network proxy for this machine’s own addresses',
    make: async () => ({ HTTPS_PROXY: 'http://user:secret@proxy:3128', NO_PROXY: 'example.org' }),
    check: 'shell',
    result: 'warn',
    detail: /^HTTPS_PROXY is set and NO_PROXY does not except 127\.0\.0\.1/,
    remedy: /^export NO_PROXY=/,
  },
];

/** A port for the stray's env file to change to. */
let freed: number;
beforeAll(async () => {
  freed = await freePort();
});

test.each(faults)('$name', async ({ make, check, instance, result, detail, remedy, fixable = false }) => {
  const environment = await make();
  const { code, findings } = await doctor([], environment);
  expect(troubles(findings)).toContainEqual({
    check,
    instance: instance ?? null,
    result,
    detail: expect.stringMatching(detail),
    remedy: remedy === undefined ? expect.any(String) : expect.stringMatching(remedy),
    fixable,
  });
  expect(code).toBe(troubles(findings).some((finding) => finding.result === 'fail') ? 1 : 0);
  expect(JSON.stringify(findings)).not.toContain('secret');
});

test('settings of this project and of this shell that lead claude to an instance are as they should be', async () => {
  const url = `http://127.0.0.1:${goodPort}`;
  const env = { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: 'unused' };
  await place(atHome('work', '.claude', 'settings.local.json'), JSON.stringify({ env }));
  const { findings } = await doctor([], { INIT_CWD: atHome('work'), ...env });
  expect(troubles(findings)).toEqual([]);
  const details = findings.map(({ detail }) => detail);
  expect(details).toContainEqual(expect.stringMatching(/settings\.local\.json leads it to good$/));
  expect(details).toContain('ANTHROPIC_BASE_URL leads claude to good');
});

test('an app of PM2 that is not ours is named, and is no fault', async () => {
  await place(inProject('other.cjs'), 'setInterval(() => {}, 1000);');
  await project.pm2(['start', inProject('other.cjs'), '--name', 'foreign']);
  onTestFinished(async () => void (await project.pm2(['delete', 'foreign'])));
  const { findings } = await doctor();
  expect(troubles(findings)).toEqual([]);
  expect(findings.map(({ detail }) => detail)).toContainEqual(
    expect.stringMatching(/not of this checkout: foreign \(another program\)$/),
  );
});

test('names limit what is said of instances', async () => {
  await addInstance('bad', ['MAX_RETRIES=banana']);
  const { code, findings } = await doctor(['good']);
  expect(findings.map(({ instance }) => instance)).toContain('good');
  expect(findings.map(({ instance }) => instance)).not.toContain('bad');
  expect(code).toBe(0);
  expect((await project.manage(['doctor', 'goood'])).code).toBe(2);
});

test('E4 --fix repairs what is without risk, says so, and looks again', async () => {
  await addInstance('open');
  await chmod(inProject('envs', 'open.env'), 0o644);
  const lock = inProject('state', 'launcher.lock');
  await symlink('999999999', lock);
  await mkdir(`${lock}.removal`);
  await utimes(`${lock}.removal`, 0, 0);
  await rename(inProject('logs'), inProject('logs-away'));
  await chmod(project.pm2Home, 0o755);
  onTestFinished(async () => {
    await rm(inProject('logs'), { recursive: true });
    await rename(inProject('logs-away'), inProject('logs'));
  });

  const before = await doctor();
  expect(troubles(before.findings)).toEqual([
    expect.objectContaining({ check: 'folders', detail: 'logs is missing', remedy: 'mkdir -p logs', fixable: true }),
    expect.objectContaining({
      check: 'folders',
      detail: `PM2's ${project.pm2Home} is open to other users (mode 755), with its sockets`,
      remedy: `chmod 700 ${project.pm2Home}`,
      fixable: true,
    }),
    expect.objectContaining({
      check: 'locks',
      detail: 'process 999999999 is gone and has left its lock',
      fixable: true,
    }),
    expect.objectContaining({ check: 'locks', detail: 'the removal of a lock was not finished', fixable: true }),
    expect.objectContaining({
      check: 'env file',
      instance: 'open',
      detail: 'envs/open.env  file: found a file that other users may read (mode 644)',
      remedy: 'chmod 600 envs/open.env',
      fixable: true,
    }),
  ]);
  expect([before.code, before.repaired]).toEqual([0, []]);
  expect(await readlink(lock)).toBe('999999999');

  const after = await doctor(['--fix']);
  expect(troubles(after.findings)).toEqual([]);
  expect(after.repaired).toEqual([
    'mkdir -p logs',
    `chmod 700 ${project.pm2Home}`,
    'rm -r state/launcher.lock',
    'rm -r state/launcher.lock.removal',
    'chmod 600 envs/open.env',
  ]);
  expect((await stat(inProject('envs', 'open.env'))).mode & 0o777).toBe(0o600);
});

test('a lock whose holder lives is left alone', async () => {
  const lock = inProject('state', 'launcher.lock');
  await symlink(String(process.pid), lock);
  onTestFinished(() => rm(lock));
  const { findings } = await doctor(['--fix']);
  expect(findings).toContainEqual(expect.objectContaining({ check: 'locks', result: 'ok' }));
  expect(await readlink(lock)).toBe(String(process.pid));
});

test('without its env files the project is examined all the same', async () => {
  await rename(inProject('envs'), inProject('envs-away'));
  onTestFinished(async () => {
    await rm(inProject('envs'), { recursive: true, force: true });
    await rename(inProject('envs-away'), inProject('envs'));
  });
  const { code, findings } = await doctor();
  expect(troubles(findings).map(({ detail }) => detail)).toEqual(['envs is missing', 'there is none yet']);
  expect(code).toBe(0);
  expect((await doctor(['--fix'])).repaired).toEqual(['mkdir -p envs']);
});

test('an instance that PM2 has lost: nothing is done to it, but how to is said', async () => {
  process.kill(Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8')), 'SIGKILL');
  const { code, repaired, findings } = await doctor(['--fix']);
  expect(troubles(findings)).toEqual([
    {
      check: 'instance',
      instance: 'good',
      result: 'warn',
      detail: `runs on 127.0.0.1:${goodPort}, but PM2 does not know it`,
      remedy: './manage start good',
      fixable: false,
    },
  ]);
  expect([code, repaired]).toEqual([0, []]);
});
