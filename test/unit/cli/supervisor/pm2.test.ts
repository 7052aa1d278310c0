import { expect, test } from 'vitest';
import { parseList, pm2Environment } from '../../../../src/cli/supervisor/pm2.ts';

const entry = {
  pid: 4711,
  name: 'kimi',
  pm_id: 2,
  pm2_env: {
    status: 'online',
    restart_time: 1,
    exit_code: 0,
    kill_timeout: 35_000,
    pm_exec_path: '/srv/dist/claude-code-proxy',
    pm_cwd: '/srv',
    namespace: 'claude-code-proxy',
    args: ['--env', '/srv/envs/kimi.env'],
    SOME_SECRET: 'sk-canary',
  },
};

test('the list keeps what is needed and nothing of the environment', () => {
  const [row] = parseList(JSON.stringify([entry]));
  expect(row).toEqual({
    id: 2,
    name: 'kimi',
    namespace: 'claude-code-proxy',
    status: 'online',
    pid: 4711,
    exitCode: 0,
    restarts: 1,
    killTimeout: 35_000,
    executable: '/srv/dist/claude-code-proxy',
    args: ['--env', '/srv/envs/kimi.env'],
    directory: '/srv',
  });
});

test('the pid of a process that has ended does not count, though PM2 still shows it', () => {
  const waiting = { ...entry, pm2_env: { ...entry.pm2_env, status: 'waiting restart' } };
  expect(parseList(JSON.stringify([waiting]))[0]?.pid).toBe(0);
});

test('words of PM2 before the list are passed over, other answers refused', () => {
  expect(parseList(`>>>> In-memory PM2 is out-of-date\n[PM2] hint\n${JSON.stringify([entry])}`)).toHaveLength(1);
  expect(parseList('[]')).toEqual([]);
  expect(() => parseList('[PM2] Spawning daemon')).toThrow('not its process list');
});

test('S1 PM2 sees of the shell only what it needs, no secret, and no proxy address with a password', () => {
  const environment = pm2Environment({
    PATH: '/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    PM2_HOME: '/home/me/.pm2',
    https_proxy: 'http://proxy:3128',
    HTTP_PROXY: 'http://me:secret@proxy:3128',
    ANTHROPIC_API_KEY: 'sk-canary',
    MY_PATH: 'x',
    NODE_OPTIONS: '--inspect',
  });
  const settings = Object.keys(environment).filter((name) => name.startsWith('PM2_') && name !== 'PM2_HOME');
  const others = Object.keys(environment).filter((name) => !settings.includes(name));
  expect(others.sort()).toEqual(['HOME', 'LC_ALL', 'PATH', 'PM2_HOME', 'https_proxy']);
  expect(settings).toContain('PM2_NO_INTERACTION');
});
