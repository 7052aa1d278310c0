import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort, run } from '../cli/temporaryProject.ts';
import { delta, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, open, readEvents } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { buildImages, type Image, podman, removeContainers, succeed } from './images.ts';

const root = resolve(import.meta.dirname, '..', '..');
const TOKEN = 'c0ffee'.repeat(6);
const environment = process.env as Record<string, string>;

let base: string;
/** Why no image can be built here. */
let obstacle = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ccp-container-'));
  obstacle = await buildImages('instance', 'all');
}, 600_000);

afterAll(async () => {
  if (obstacle === '') await removeContainers();
  await rm(base, { recursive: true, force: true });
});

/** What takes everything from a container that compose.yaml takes from it, for the given user. */
const restricted = (user: string) => [
  ...['--network', 'host', '--user', user, '--read-only', '--read-only-tmpfs=false'],
  ...['--cap-drop', 'all', '--security-opt', 'no-new-privileges'],
  ...['--ulimit', 'nofile=1024:4096', '--ulimit', 'nproc=4096:4096'],
];

interface Container {
  readonly name: string;
  readonly url: string;
  readonly port: number;
}

let count = 0;

/** A folder that the given user of a container may read, with files. */
async function makeFolder(user: string, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(base, 'config-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  await run('chown', ['-R', user, folder], root, environment);
  return folder;
}

async function startContainer(
  image: Image,
  user: string,
  settings: Record<string, string>,
  mounts: readonly string[] = [],
): Promise<Container> {
  const port = await freePort();
  const lines = { PORT: port, HOST: '0.0.0.0', ANTHROPIC_API_KEY: TOKEN, ...settings };
  const folder = await makeFolder(user, {
    'proxy.env': Object.entries(lines)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  });
  count += 1;
  const name = `container${count}`;
  const places =
    image === 'instance'
      ? ['--tmpfs', '/data/logs:mode=1777', '--tmpfs', '/data/state:mode=1777', '-v', `${folder}:/config:ro`]
      : ['--tmpfs', '/data:mode=1777', '-v', `${folder}:/data/envs`];
  await succeed('run', '--detach', '--name', name, ...restricted(user), ...places, ...mounts, image);
  onTestFinished(async () => {
    await podman('rm', '--force', '--time', '1', name);
  });
  const container = { name, port, url: `http://127.0.0.1:${port}` };
  await waitUntil('the container serves', async () => (await podman('healthcheck', 'run', name)).code === 0);
  return container;
}

const asked = (model: string, stream = true) => {
  const options = message(model, { stream });
  return { ...options, headers: { ...options.headers, 'x-api-key': TOKEN } };
};

const health = async ({ url }: Container) => JSON.parse((await call(`${url}/health`)).text);

/** A provider that begins an answer, and ends it when the test wants it. */
async function startSlowProvider() {
  let open: ServerResponse | undefined;
  const upstream = await startFakeUpstream({
    '*': (response) => {
      openEvents(response);
      response.write(frame(delta({ role: 'assistant', content: 'before' })));
      open = response;
    },
  });
  onTestFinished(() => upstream.close());
  return {
    settings: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-container', BIG_MODEL: 'm', SMALL_MODEL: 'm' },
    finish: () => open?.end(`${frame(delta({ content: ' and after' }))}${frame(delta({}, 'stop'))}data: [DONE]\n\n`),
  };
}

/** Stops a container in the middle of a stream; the provider ends its answer only when nothing new is taken any more. */
async function stopInStream(image: Image, user: string): Promise<void> {
  const provider = await startSlowProvider();
  const container = await startContainer(image, user, provider.settings);
  const response = await open(`${container.url}/v1/messages`, asked('claude-sonnet-5'));
  let text = '';
  const ended = (async () => {
    for await (const piece of response.setEncoding('utf8')) text += piece;
  })();
  await waitUntil('the answer has begun', async () => text.includes('before'));
  const stopped = podman('stop', '--time', '40', container.name);
  await waitUntil('nothing new is taken', () =>
    call(`${container.url}/health`).then(
      ({ status, text }) => status !== 200 || JSON.parse(text).state !== 'serving',
      () => true,
    ),
  );
  provider.finish();
  await ended;
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
  expect(text).toContain(' and after');
  expect((await stopped).code).toBe(0);
  expect(await succeed('inspect', '--format', '{{.State.ExitCode}}', container.name)).toBe('0');
}

describe('the image of one instance', () => {
  test('is smaller than 140 MB, belongs to no user with rights, and has no shell', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const [image] = JSON.parse(await succeed('image', 'inspect', 'instance'));
    const bytes = Number(image.Size);
    console.info(`image: ${(bytes / 1e6).toFixed(1)} MB`);
    expect(bytes).toBeLessThan(140e6);
    expect(image.Config.User).toBe('65532:65532');
    const { code } = await podman('run', '--rm', ...restricted('65532:65532'), '--entrypoint', '/bin/sh', 'instance');
    expect(code).not.toBe(0);
  });

  test.for(['65532:65532', '1234567:7654321'])(
    'serves as user %s with a root that is read-only, without any capability',
    async (user, { skip }) => {
      if (obstacle !== '') skip(obstacle);
      const container = await startContainer('instance', user, { PROVIDER: 'demo' });
      const answer = await call(`${container.url}/v1/messages`, asked('claude-opus-5'));
      expect([answer.status, readEvents(answer.text).at(-1)?.[0]]).toEqual([200, 'message_stop']);
      expect(await health(container)).toMatchObject({
        permission_model: 'on',
        config_problems: [],
        log: { path: '/data/logs/proxy/proxy.log', healthy: true },
        usage: { healthy: true },
      });
      const status = readFileSync(
        `/proc/${await succeed('inspect', '--format', '{{.State.Pid}}', container.name)}/status`,
        'utf8',
      );
      expect(/^CapBnd:\s*(\w+)/m.exec(status)?.[1]).toBe('0'.repeat(16));
      expect(/^Uid:\s*(\d+)/m.exec(status)?.[1]).toBe(user.split(':')[0]);
      expect(/^NoNewPrivs:\s*(\d)/m.exec(status)?.[1]).toBe('1');
    },
  );

  test('does not start without a token, as its address can be reached by others', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const folder = await makeFolder('65532:65532', { 'proxy.env': 'PROVIDER=demo\n' });
    const { code, stderr } = await podman(
      ...['run', '--rm', ...restricted('65532:65532'), '--tmpfs', '/data/logs:mode=1777', '-v', `${folder}:/config:ro`],
      'instance',
    );
    expect(code).toBe(78);
    expect(stderr).toContain('ANTHROPIC_API_KEY');
  });

  test('is unhealthy when nothing answers on its port, and healthy again when it does', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const container = await startContainer('instance', '65532:65532', { PROVIDER: 'demo' });
    const state = () => succeed('inspect', '--format', '{{.State.Health.Status}}', container.name);
    expect(await state()).toBe('healthy');
    await succeed('kill', '--signal', 'STOP', container.name);
    const codes: (number | null)[] = [];
    while (codes.length < 3) codes.push((await podman('healthcheck', 'run', container.name)).code);
    expect([codes, await state()]).toEqual([[1, 1, 1], 'unhealthy']);
    await succeed('kill', '--signal', 'CONT', container.name);
    await succeed('healthcheck', 'run', container.name);
    expect(await state()).toBe('healthy');
  });

  test('lets a stream end when it is stopped, and exits with 0', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    await stopInStream('instance', '65532:65532');
  });

  test('takes a key that is rotated as Kubernetes does it, by another link, without a restart', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const upstream = await startFakeUpstream({ '*': words('hello') });
    onTestFinished(() => upstream.close());
    const user = '65532:65532';
    // A mounted Secret: KEY is a link to ..data/KEY, and ..data one to a folder that is named by the time.
    const secret = await makeFolder(user, {});
    const write = async (version: string, key: string) => {
      await mkdir(join(secret, version));
      await writeFile(join(secret, version, 'key'), key, { mode: 0o400 });
      await run('chown', ['-R', user, secret], root, environment);
      await symlink(version, join(secret, '..new'));
      await rename(join(secret, '..new'), join(secret, '..data'));
    };
    await write('..2026_01', 'sk-first-0123456789');
    await symlink('..data/key', join(secret, 'key'));
    await chmod(secret, 0o755);
    const settings = {
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY_FILE: '/secret/key',
      BIG_MODEL: 'm',
      SMALL_MODEL: 'm',
    };
    const container = await startContainer('instance', user, settings, ['-v', `${secret}:/secret:ro`]);
    const keyOf = async () => {
      expect((await call(`${container.url}/v1/messages`, asked('claude-opus-5', false))).status).toBe(200);
      return upstream.requests.at(-1)?.headers.authorization;
    };
    expect(await keyOf()).toBe('Bearer sk-first-0123456789');
    const before = await health(container);
    await write('..2026_02', 'sk-second-0123456789');
    await rm(join(secret, '..2026_01'), { recursive: true });
    await waitUntil(
      'the new key counts',
      async () => (await health(container)).config_loaded_at !== before.config_loaded_at,
    );
    expect(await keyOf()).toBe('Bearer sk-second-0123456789');
    expect((await health(container)).started_at).toBe(before.started_at);
  });
});

describe('the image with the manager', () => {
  test('runs all instances of the folder as any user, and the manager knows them', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    const container = await startContainer('all', '1234567:7654321', { PROVIDER: 'demo' });
    const answer = await call(`${container.url}/v1/messages`, asked('claude-opus-5'));
    expect([answer.status, readEvents(answer.text).at(-1)?.[0]]).toEqual([200, 'message_stop']);
    const { instances } = JSON.parse(await succeed('exec', container.name, 'ccp', 'status', '--json'));
    expect(instances).toMatchObject([{ name: 'proxy', port: container.port, state: 'serving' }]);
    await succeed('exec', container.name, 'sh', '-c', `kill -STOP ${instances[0].pid}`);
    expect((await podman('healthcheck', 'run', container.name)).code).toBe(1);
  });

  test('lets a stream end when it is stopped, and exits with 0', async ({ skip }) => {
    if (obstacle !== '') skip(obstacle);
    await stopInStream('all', '65532:65532');
  });
});
