import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createProject, type Finished, freePort, type TemporaryProject } from './temporaryProject.ts';

const KEYS = ['sk-canary-one-1234567890', 'sk-canary-two-1234567890', 'canary-three-1234567890abc'] as const;
const KEY = /canary-(?:one|two|three)/;

let project: TemporaryProject;
let old: string;

beforeAll(async () => {
  project = await createProject();
  old = join(dirname(project.root), 'old');
});
afterEach(async () => {
  await rm(old, { recursive: true });
  for (const name of await written()) await rm(join(project.root, 'envs', name));
});
afterAll(() => project.dispose());

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(old, path)), { recursive: true });
    await writeFile(join(old, path), text);
  }
}

const take = (...words: string[]) => project.manage(['import', ...words], { INIT_CWD: dirname(project.root) });
const written = async () =>
  (await readdir(join(project.root, 'envs'))).filter((name) => !name.endsWith('.example')).sort();
const textOf = (name: string) => readFile(join(project.root, 'envs', name), 'utf8');
const list = async (): Promise<Record<string, unknown>[]> =>
  JSON.parse((await project.manage(['list', '--json'])).stdout).instances;

function expectNoKey({ stdout, stderr }: Finished): void {
  expect(stdout + stderr).not.toMatch(KEY);
}

describe('a folder with start-all-proxies.sh', () => {
  beforeEach(() =>
    write({
      'start-all-proxies.sh': [
        'PROXIES=(',
        '  "18081:.env-one:Kimi-K2"',
        '  "18082:.env-two:GLM-4.6"',
        '  "18083:.env-gone:Gone"',
        ')',
      ].join('\n'),
      '.env-one': `OPENAI_API_KEY="${KEYS[0]}"\nOPENAI_BASE_URL=https://api.moonshot.ai/v1\nHOST=0.0.0.0\nPORT=18081\n`,
      '.env-two': `OPENAI_API_KEY=${KEYS[1]}\nOPENAI_BASE_URL=https://api.z.ai/api/paas/v4\nPORT=18081\nRELOAD=true\n`,
      '.env.example': 'OPENAI_API_KEY=sk-xxx\n',
    }),
  );

  test('--dry-run shows what would be written, keys masked, and writes nothing', async () => {
    const finished = await take('old', '--dry-run');
    expect(finished.code).toBe(0);
    expect(finished.stdout).toContain('envs/kimi-k2.env  (from old/.env-one)\n');
    expect(finished.stdout).toContain('    OPENAI_API_KEY="****7890"\n');
    expect(finished.stderr).toContain('Would write 2 files; nothing is written.');
    expectNoKey(finished);
    expect(await written()).toEqual([]);
  });

  test('each proxy becomes an instance; what is different is reported with its line', async () => {
    const finished = await take('old');
    expect(finished.code).toBe(0);
    expectNoKey(finished);
    expect(finished.stderr).toMatch(/^ {2}old\/\.env-one:3 {2}HOST: /m);
    expect(finished.stderr).toMatch(/^ {2}old\/\.env-two:4 {2}RELOAD: /m);
    expect(finished.stderr).toMatch(
      /^ {2}old\/start-all-proxies\.sh:3 {2}PROXIES: 18082 is not the port in \.env-two/m,
    );
    expect(finished.stderr).toMatch(/^ {2}old\/\.env-two:3 {2}PORT: 18081 is the port of another instance/m);
    expect(finished.stderr).toMatch(/^ {2}old\/start-all-proxies\.sh:4 {2}PROXIES: there is no \.env-gone/m);
    expect(await written()).toEqual(['glm-4.6.env', 'kimi-k2.env']);
    expect((await stat(join(project.root, 'envs', 'kimi-k2.env'))).mode & 0o777).toBe(0o600);
    expect(await list()).toMatchObject([
      { name: 'glm-4.6', provider: 'glm', sound: true },
      { name: 'kimi-k2', provider: 'kimi', port: 18081, sound: true },
    ]);
    expect(await textOf('kimi-k2.env')).toContain(`OPENAI_API_KEY="${KEYS[0]}"`);
  });

  test('a file that is there is left as it is; the others are taken over', async () => {
    await project.addInstance('kimi-k2');
    const before = await textOf('kimi-k2.env');
    const { code, stderr } = await take('old');
    expect(code).toBe(1);
    expect(stderr).toContain('envs/kimi-k2.env is there already and is left as it is; old/.env-one was not taken over');
    expect(await textOf('kimi-k2.env')).toBe(before);
    expect(await written()).toEqual(['glm-4.6.env', 'kimi-k2.env']);
  });

  test('one env file by itself; where the user is, without a path', async () => {
    expect((await take('old/.env-two')).code).toBe(0);
    expect(await written()).toEqual(['glm-4.6.env']);
    const finished = await project.manage(['import', '--json', '--dry-run'], { INIT_CWD: old });
    const { schema, dry_run, files, remarks } = JSON.parse(finished.stdout);
    expect({ schema, dry_run, files }).toEqual({
      schema: 1,
      dry_run: true,
      files: [{ path: 'envs/kimi-k2.env', source: '.env-one' }],
    });
    expect(remarks).toContainEqual({ source: '.env-one', line: 3, setting: 'HOST', reason: expect.any(String) });
    expectNoKey(finished);
  });
});

test('M25 copies of examples make way, with their ports, for what is imported; one with words of the user does not', async () => {
  const ports = [await freePort(), await freePort(), await freePort()];
  const examples = ['kimi', 'glm', 'minimax'];
  for (const [index, name] of examples.entries()) {
    const example = join(project.root, 'envs', `${name}.env.example`);
    const before = await readFile(example, 'utf8');
    onTestFinished(() => writeFile(example, before));
    await writeFile(example, before.replaceAll(/\b808\d\b/g, String(ports[index])));
  }
  expect((await project.manage(['start', ...examples])).code).toBe(0);
  await appendFile(join(project.root, 'envs', 'minimax.env'), '# mine\n');
  const lines = (key: string, port: number | undefined) => `OPENAI_API_KEY=${key}\nPROVIDER=kimi\nPORT=${port}\n`;
  await write({
    '.env-kimi-k2': lines(KEYS[0], ports[0]),
    '.env-glm': lines(KEYS[1], 18_093),
    '.env-mine': lines(KEYS[1], ports[2]),
  });
  const shown = await take('old', '--dry-run');
  expect(shown.stderr).toContain('Would replace envs/glm.env, envs/kimi.env: a copy of the example, as it was.');
  expect(await written()).toEqual(['glm.env', 'kimi.env', 'minimax.env']);

  const finished = await take('old');
  expect(finished.code, finished.stderr).toBe(0);
  expect(finished.stderr).toContain('Replaced envs/glm.env, envs/kimi.env');
  expect(finished.stderr).toContain(`${ports[2]} is the port of another instance`);
  expectNoKey(finished);
  expect(await written()).toEqual(['glm.env', 'kimi-k2.env', 'mine.env', 'minimax.env']);
  expect(await list()).toMatchObject([
    { name: 'glm', port: 18_093 },
    { name: 'kimi-k2', port: ports[0] },
    { name: 'mine' },
    { name: 'minimax', port: ports[2] },
  ]);
  const states = Object.fromEntries((await project.status()).map(({ name, state }) => [name, state]));
  expect(states).toMatchObject({ glm: 'not started', 'kimi-k2': 'not started', minimax: 'serving' });
  await project.manage(['stop', 'all']);
});

test('providers.json goes with the .env beside it, and models.yaml with every env file', async () => {
  const provider = {
    name: 'first',
    api_key: '${FIRST_KEY}',
    base_url: 'https://api.example.com/v1',
    models: { big: ['m'] },
  };
  await write({
    '.env': `FIRST_KEY=${KEYS[0]}\nPORT=18090\n`,
    '.env-side': `OPENAI_API_KEY=${KEYS[1]}\nOPENAI_BASE_URL=https://api.example.com/v1\nBIG_MODEL=custom/mine\nPORT=18091\n`,
    'config/providers.json': JSON.stringify({ providers: [provider] }, undefined, 1),
    'models.yaml': '- model_id: mine\n  api_base: https://other.example.com/v1\n  api_key_name: OPENAI_API_KEY\n',
  });
  const finished = await take('old');
  expect(finished.stderr).not.toContain('error');
  expect(finished.code).toBe(0);
  expect(await written()).toEqual(['old.env', 'old.models.yaml', 'old.providers.json', 'side.env']);
  expect(await textOf('old.env')).toContain('PROVIDERS_FILE=envs/old.providers.json');
  expect(await textOf('side.env')).toContain('MODELS_FILE=envs/old.models.yaml');
  expect(await textOf('side.env')).not.toContain('PROVIDERS_FILE');
  expect(await list()).toMatchObject([
    { name: 'old', port: 18090, sound: true, models: { big: 'm' } },
    { name: 'side', port: 18091, sound: true, models: { big: 'custom/mine' } },
  ]);
});

test('claude-code-router: providers, keys and routes', async () => {
  const config = {
    APIKEY: '0123456789abcdef01234567',
    Providers: [
      {
        name: 'one',
        api_base_url: 'https://api.example.com/v1/chat/completions',
        api_key: KEYS[2],
        models: ['a', 'b'],
      },
      { name: 'two', api_base_url: 'https://two.example.com/v1/chat/completions', api_key: KEYS[1], models: ['c'] },
    ],
    Router: {
      default: 'one,a',
      background: 'two,c',
      think: 'one,b',
      longContext: 'two,c',
      longContextThreshold: 90_000,
    },
    CUSTOM_ROUTER_PATH: 'x.js',
  };
  await write({ 'router/config.json': `// mine\n${JSON.stringify(config, undefined, 1)}` });
  const finished = await take('old/router', '--dry-run');
  expectNoKey(finished);
  expect(await take('old/router/config.json')).toMatchObject({ code: 0 });
  expect(finished.stderr).toMatch(/^ {2}old\/router\/config\.json:\d+ {2}CUSTOM_ROUTER_PATH: /m);
  expect(await written()).toEqual(['router.env', 'router.providers.json']);
  expect(await textOf('router.providers.json')).not.toMatch(KEY);
  expect(await list()).toMatchObject([
    { name: 'router', port: 3456, sound: true, models: { big: 'a', small: 'two,c' }, problems: [] },
  ]);
});

test('a file whose name cannot be that of an instance is reported', async () => {
  await write({ '.env-all': 'PROVIDER=demo\n', '.env-fine': 'PROVIDER=demo\nCUSTOM_MODELS_FILE=gone.yaml\n' });
  const { code, stderr } = await take('old');
  expect(stderr).toContain('old/.env-all  name: "all" cannot be the name of an instance');
  expect(stderr).toContain('old/.env-fine  MODELS_FILE: there is no gone.yaml');
  expect(await written()).toEqual(['fine.env']);
  expect(code).toBe(78);
});

test.each([
  ['nowhere', 'there is no such file or folder'],
  ['old', 'holds nothing that is known'],
  ['old/notes.txt', 'neither an env file nor'],
])('%s is refused with 2', async (path, message) => {
  await write({ 'notes.txt': 'hello: world' });
  const { code, stderr } = await take(path);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test('what is wrong in the new files is reported with file and line, and gives 78', async () => {
  await write({ '.env-bad': `PROVIDER=openai\nOPENAI_API_KEY=${KEYS[0]}\nPORT=18095\nMAX_RETRIES=banana\n` });
  const finished = await take('old/.env-bad');
  expect(finished.code).toBe(78);
  expect(finished.stderr).toMatch(/^envs\/bad\.env:4 {2}MAX_RETRIES/m);
  expectNoKey(finished);
  expect(await written()).toEqual(['bad.env']);
});

describe('a clone of this project', () => {
  beforeEach(() =>
    write({
      'ecosystem.config.cjs': '',
      'envs/kimi.env': `# mine\nKIMI_API_KEY=${KEYS[0]}\nPORT=18091\nHOST=127.0.0.1\n`,
      'envs/second.env': `PROVIDER=demo\nPORT=18091\nMODELS_FILE=envs/second.models.yaml\n`,
      'envs/second.models.yaml': '[]\n',
      'envs/kimi.env.example': 'PORT=1\n',
      'envs/gone.env.removed-20261130-101010': 'PORT=2\n',
    }),
  );

  test('what lies in envs/ is taken as it is, but for a port that is taken, and for its owner alone', async () => {
    const finished = await take('old');
    expectNoKey(finished);
    expect(await written()).toEqual(['kimi.env', 'second.env', 'second.models.yaml']);
    expect(await textOf('kimi.env')).toBe(await readFile(join(old, 'envs', 'kimi.env'), 'utf8'));
    expect(await textOf('second.env')).toMatch(
      /^PROVIDER=demo\nPORT=(?!18091)\d+\nMODELS_FILE=envs\/second.models.yaml\n$/,
    );
    expect(finished.stderr).toMatch(/old\/envs\/second\.env:2 {2}PORT: 18091 is the port of another instance/);
    for (const name of await written())
      expect((await stat(join(project.root, 'envs', name))).mode & 0o777, name).toBe(0o600);
  });
});
