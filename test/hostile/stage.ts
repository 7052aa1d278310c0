import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executablePath } from '../../src/host/workers.ts';
import { ALLOCATOR_SETTINGS } from '../../src/permissions/sandbox.ts';
import { type Behaviour, type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { pages, type SearchServer, startSearchServer } from '../helpers/searchServer.ts';
import { type Binary, freePort, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { type Answer, ask, COUNT_TOKENS, type Question, question } from './client.ts';
import { type HealthProbe, startHealthProbe } from './health.ts';
import { holdLoop, type Memory, measureMemory } from './heap.ts';

export const TOKEN = 'token-of-the-instance-0123456789';
export const KEY = 'sk-canary-of-the-provider-0123456789';

const HEAP_MIB = 256;
const ROOT = join(import.meta.dirname, '../..');

/**
 * The executable takes Node's options as its first word, but begins anew with those of its permission model alone, so that this must
 * be off for the limit of the heap to hold. The inspector opens on SIGUSR1, for the collector; its port is any that is free.
 */
const COMMAND = [executablePath(ROOT), `--node-options=--max-old-space-size=${HEAP_MIB} --inspect-port=0`];

/** An answer that limits the rate lets the key rest, which must not be what the next scenario meets: each has a provider. */
export const LIMITED = Array.from({ length: 32 }, (_, index) => ({
  name: `limited-${index}`,
  protocol: index < 16 ? 'chat' : index < 24 ? 'responses' : 'anthropic',
}));

function providersText(url: string, native: string, mortalPort: number): string {
  const common = { api_key: '${OPENAI_API_KEY}', models: { big: 'ordinary', small: 'ordinary' } };
  // In this order one takes over where the first is avoided: those that speak otherwise, or not at all, come last.
  const providers = [
    { name: 'openapi', base_url: url, quirks: { schema: 'openapi' }, ...common },
    { name: 'mfjs', base_url: url, quirks: { schema: 'mfjs' }, ...common },
    ...LIMITED.map(({ name, protocol }) => ({
      name,
      base_url: protocol === 'anthropic' ? native : url,
      protocol,
      ...common,
    })),
    { name: 'responses', base_url: url, protocol: 'responses', quirks: { web_search: 'provider' }, ...common },
    { name: 'blind', base_url: url, quirks: { vision: false }, ...common },
    // Alone, so that its failures are none of another one's.
    { name: 'eyes', base_url: url, ...common },
    { name: 'native', base_url: native, protocol: 'anthropic', ...common },
    { name: 'mortal', base_url: `http://127.0.0.1:${mortalPort}/v1`, ...common },
  ];
  return JSON.stringify({
    providers: providers.map((provider, index) => ({ ...provider, priority: index + 1 })),
    health_check_interval: 0,
  });
}

/** The instance that is to be brought down, a provider that does what it is asked, and who watches both. */
export interface Stage {
  readonly binary: Binary;
  /** Where the provider `mortal` is, when a scenario has started it. */
  readonly mortalPort: number;
  readonly url: string;
  /** The file of the providers beside that of the env file. */
  readonly providersFile: string;
  readonly probe: HealthProbe;
  readonly upstream: FakeUpstream;
  readonly searches: SearchServer;
  /** What the provider does from now on, except for the model `ordinary`. */
  behave(behaviour: Behaviour): void;
  ask(question: Question): Promise<Answer>;
  health(): Promise<Health>;
  get(path: string): Promise<string>;
  /** What the instance holds after a collection of its garbage. */
  memory(): Promise<Memory>;
  /** Holds the event loop of the instance for so many pieces of work, as no fault of it may. */
  holdLoop(pieces: number): Promise<void>;
  /** After the warm-up, by the instance that runs now. */
  readonly atRest: Memory;
  /** Asks questions of every day, until the instance remembers no conversation but these. */
  warmUp(): Promise<void>;
  /** Ends the instance and starts another one, with nothing of what the last one had. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface Health {
  readonly pid: number;
  readonly config_problems: readonly unknown[];
  readonly config_hash: string;
  readonly in_flight: number;
  readonly usage: { readonly written: number; readonly dropped: number; readonly healthy: boolean };
  readonly log: { readonly written: number; readonly path: string };
}

const ordinary = words('fine');

/**
 * Questions of every day, so that what is loaded and compiled at first is not taken for a leak, and neither is what an instance
 * remembers of the last conversations: as much text as it may, and more.
 */
async function warmUp(stage: Stage): Promise<void> {
  const ask = async (asked: Question) => {
    const { status } = await stage.ask(asked);
    if (status !== 200) throw new Error(`an ordinary question is answered ${status}`);
  };
  for (let round = 0; round < 16; round += 1) {
    const messages = [{ role: 'user', content: `${round} ${'a few words of every day '.repeat(40_000)}` }];
    await ask(question('ordinary', { messages }));
    await ask({ ...question('ordinary', { messages }), path: COUNT_TOKENS });
    for (const stream of [true, false]) await ask(question('ordinary', { stream }));
  }
}

/** The address at which the process lets itself be looked into. */
async function inspectorOf(binary: Binary): Promise<string> {
  const url = () => /ws:\/\/\S+/.exec(binary.output())?.[0];
  if (url() === undefined) binary.process.kill('SIGUSR1');
  await waitUntil('the inspector is open', async () => url() !== undefined);
  return url() ?? '';
}

export async function startStage(): Promise<Stage> {
  let current: Behaviour = ordinary;
  const upstream = await startFakeUpstream({ ordinary, '*': (response, request) => current(response, request) });
  const searches = await startSearchServer(pages());
  const folder = temporaryFolder();
  const providers = join(folder.path, 'providers.json');
  const mortalPort = await freePort();
  const text = providersText(upstream.url, upstream.url.replace('/v1', ''), mortalPort);
  writeFileSync(providers, text, { mode: 0o600 });
  const probe = startHealthProbe();
  let binary: Binary;
  let atRest: Memory;

  const stage: Stage = {
    get binary() {
      return binary;
    },
    get url() {
      return binary.url;
    },
    get atRest() {
      return atRest;
    },
    mortalPort,
    providersFile: providers,
    probe,
    upstream,
    searches,
    behave: (behaviour) => {
      current = behaviour;
    },
    ask: (asked) => ask(binary.url, TOKEN, asked),
    health: async () => JSON.parse(await stage.get('/health')),
    get: async (path) => (await fetch(`${binary.url}${path}`, { headers: { 'x-api-key': TOKEN } })).text(),
    memory: async () => measureMemory(await inspectorOf(binary)),
    warmUp: () => warmUp(stage),
    holdLoop: async (pieces) => holdLoop(await inspectorOf(binary), pieces),
    restart: async () => {
      probe.watch(undefined);
      // What it has written is looked at when all is over, and by the scenarios that are about it.
      await binary.stop().catch(() => {});
      await start();
    },
    close: async () => {
      probe.close();
      try {
        await binary.stop();
      } finally {
        await upstream.close();
        await searches.close();
        folder.remove();
      }
    },
  };

  async function start(): Promise<void> {
    binary = await startBinary(
      {
        PROVIDER: 'custom',
        OPENAI_BASE_URL: upstream.url,
        BIG_MODEL: 'ordinary',
        PROVIDERS_FILE: providers,
        OPENAI_API_KEY: KEY,
        ANTHROPIC_API_KEY: TOKEN,
        PERMISSION_MODEL: 'off',
        // One question, one answer: what is repeated or handed on is tested elsewhere.
        MAX_RETRIES: '0',
        MAX_ATTEMPTS: '1',
        BREAKER_FAILURES: '1000',
        REQUEST_TIMEOUT: '8',
        WEB_SEARCH: 'searxng',
        SEARCH_URL: searches.url,
        VISION_MODEL: 'eyes,described',
        VISION_TIMEOUT: '4',
        LOG_MAX_TOTAL: '20M',
      },
      'hostile',
      COMMAND,
      // The second start, which does not take place here, would set them.
      ALLOCATOR_SETTINGS,
    );
    await warmUp(stage);
    upstream.requests.length = 0;
    atRest = await stage.memory();
    probe.watch({ port: binary.port, pid: binary.process.pid ?? 0 });
  }

  await start();
  return stage;
}
