'use strict';

/**
 * One PM2 app per envs/NAME.env, and one for the page where it is kept. `pm2 start ecosystem.config.cjs` works by itself; `./manage` reads this same list.
 *
 * PM2 writes what it is given into dump.pm2 (readable by everybody), `pm2 env` and `pm2 jlist`. So no key passes through
 * here: the binary reads its env file itself, and of the caller's shell only the names below go on.
 */
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

// Relative to `cwd`: PM2 runs a script whose path has a blank through a shell, which takes the path apart.
const binary = join('dist', process.platform === 'win32' ? 'claude-code-proxy.exe' : 'claude-code-proxy');
const passedOn = [
  'PATH',
  'HOME',
  'TZ',
  'MANAGER_COMMAND',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];
const networkProxy = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((n) => [n, n.toLowerCase()]);

function environment() {
  const values = (names) => names.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  // The address of a network proxy may hold a password; such a one belongs into the env file.
  const addresses = values(networkProxy).filter(([, value]) => !value.includes('@'));
  return Object.fromEntries([...values(passedOn), ...addresses]);
}

/**
 * Seconds that running answers may take after a stop signal: the only line of the env file that PM2 has to know. A value that only
 * the binary can work out, such as a reference, counts as the longest that it takes.
 */
function drainSeconds(file) {
  try {
    const lines = readFileSync(file, 'utf8').matchAll(/^\s*(?:export\s+)?DRAIN_SECONDS\s*[=:]\s*["'`]?([^\s"'`#]+)/gm);
    const value = Number([...lines].at(-1)?.[1] ?? 30);
    return Number.isFinite(value) ? Math.ceil(value) : 3600;
  } catch {
    return 30; // the binary says what is wrong with the file
  }
}

/**
 * What is put behind the names of this checkout, as in `demo@work`: nothing, until `./manage start` finds that another app of PM2 has
 * such a name, as another checkout's has. PM2 acts on names, and would take that app for this one.
 */
function nameSuffix() {
  try {
    return JSON.parse(readFileSync(join(__dirname, 'state', 'pm2.json'), 'utf8')).nameSuffix ?? '';
  } catch {
    return '';
  }
}

const suffix = nameSuffix();

function describeApp(name) {
  const file = join(__dirname, 'envs', `${name}.env`);
  const consoleLog = join(__dirname, 'logs', name, 'console.log');
  return {
    name: `${name}${suffix}`,
    namespace: `claude-code-proxy${suffix}`,
    script: binary,
    // A reload puts a new process beside the old one; strangers are refused all the same.
    args: ['--env', file, '--share'],
    interpreter: 'none',
    exec_mode: 'fork',
    cwd: __dirname,

    // `true` has no effect in PM2 7; an empty string is part of every name, so that nothing of the caller's shell is kept.
    filter_env: [''],
    env: environment(),

    // Not wait_ready: an app that is stopped before it is ready would come back (PM2 7.0.4 sets it online when it exits).
    // `./manage` asks the port itself, for as long as this.
    listen_timeout: 10_000,
    // PM2 sends SIGINT, then SIGKILL after this time: longer than the drain, so that answers can end.
    kill_timeout: (drainSeconds(file) + 5) * 1000,
    // After a crash 0.1 s, then longer up to 15 s, for ever. A wrong configuration (78) waits for a human.
    exp_backoff_restart_delay: 100,
    stop_exit_codes: [78],

    // A few lines per start, so that `pm2 logs NAME` has something to show and a crash leaves its reason; the binary keeps
    // the file small. Requests are in logs/NAME/NAME.log.
    out_file: consoleLog,
    error_file: consoleLog,
    merge_logs: true,

    // Nothing of PM2 inside our process: without its probe (pmx) an instance survives the death of the PM2 daemon.
    pmx: false,
    automation: false,
    vizion: false,
    treekill: false,
  };
}

/** The page, when `./manage ui --background` keeps it; `./manage ui --stop` ends that. */
function describePage() {
  const page = readPage();
  if (page.background !== true) return [];
  const consoleLog = join(__dirname, 'logs', 'ui', 'console.log');
  return [
    {
      name: `claude-code-proxy-ui${suffix}`,
      namespace: `claude-code-proxy${suffix}`,
      script: 'manage',
      args: ['ui', '--port', String(page.port), '--no-open'],
      interpreter: 'none',
      exec_mode: 'fork',
      cwd: __dirname,
      filter_env: [''],
      // One arena of the C library for all threads, as it lives long; `./manage` has what that saves.
      env: { ...environment(), MALLOC_ARENA_MAX: '1' },
      kill_timeout: 5000,
      exp_backoff_restart_delay: 100,
      // Wrong settings of its own, such as a port that is taken, wait for a human.
      stop_exit_codes: [1, 2],
      out_file: consoleLog,
      error_file: consoleLog,
      merge_logs: true,
      pmx: false,
      automation: false,
      vizion: false,
      treekill: false,
    },
  ];
}

function readPage() {
  try {
    return JSON.parse(readFileSync(join(__dirname, 'state', 'page.json'), 'utf8'));
  } catch {
    return {};
  }
}

// The names that the binary gives itself too; `all` stands for every instance.
const names = readdirSync(join(__dirname, 'envs'))
  .map((file) => /^(?!all\.|env\b)(?<name>[a-z0-9]+(?:[._-][a-z0-9]+)*)\.env$/.exec(file)?.groups.name)
  .filter((name) => name !== undefined)
  .sort();

module.exports = { apps: [...names.map(describeApp), ...describePage()] };
