import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { Profiler } from 'node:inspector';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const HOOK = pathToFileURL(join(import.meta.dirname, 'coverage.ts')).href;

/** Requests before the first that counts: connections, caches and compiled code are there by then. */
export const WARM_UP = 3;
/** A timer may run during one repetition; what is entered in every one belongs to what is traced. */
const REPETITIONS = 3;
const DEADLINE_MS = 20_000;
const POLL_MS = 5;
/** In this time each of the timers runs that an instance always has. */
const IDLE_MS = 1500;

/** Functions that were entered, by the file's path in the project: each by name and place, the file's top-level code as TOP_LEVEL. */
export type Coverage = ReadonlyMap<string, ReadonlySet<string>>;
export const TOP_LEVEL = 'top-level code';

/** V8 makes a function of the fields of each class, where the source has none. */
const FIELD_INITIALIZERS: ReadonlySet<string> = new Set(['<instance_members_initializer>', '<static_initializer>']);

/** A copy of the sources, in which everything may be written and started. */
export interface Project {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Ends its processes when it is aborted. */
  readonly signal: AbortSignal;
  /** Of each process that was started, its end. */
  readonly ends: Promise<unknown>[];
}

/** Copies the project into an empty folder. */
export async function copyProject(folder: string, signal: AbortSignal): Promise<Project> {
  const root = join(folder, 'project');
  for (const part of ['src', 'scripts', 'package.json', 'ecosystem.config.cjs']) {
    await cp(join(REPOSITORY, part), join(root, part), { recursive: true });
  }
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  for (const name of ['envs', 'dist']) await mkdir(join(root, name));
  const main = join(root, 'src', 'main.ts');
  await writeFile(join(root, 'dist', 'claude-code-proxy'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
    mode: 0o755,
  });
  // Nothing of the caller's shell, so that the figures are the same for everybody.
  const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
  return { root, signal, ends: [], environment: { PATH: path, HOME: folder, PM2_HOME: join(folder, 'pm2') } };
}

/** Opens a free port, which it gives. */
export async function listenAnywhere(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  server.close();
  return port;
}

const toolCall = (call: object) => ({ delta: { tool_calls: [{ index: 0, ...call }] } });
const CHUNKS = [
  { delta: { role: 'assistant', content: 'Once ' } },
  { delta: { content: 'more.' } },
  toolCall({ id: 'call_1', type: 'function', function: { name: 'Read', arguments: '{"file' } }),
  toolCall({ function: { arguments: '_path":"b"}' } }),
  { delta: {}, finish_reason: 'tool_calls' },
].map((choice) => ({ choices: [{ index: 0, ...choice }] }));
const CHAT_STREAM = [...CHUNKS, { choices: [], usage: { prompt_tokens: 20, completion_tokens: 10 } }]
  .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  .concat('data: [DONE]\n\n')
  .join('');

const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'large', content: [], stop_reason: null };
const MESSAGES_STREAM = [
  { type: 'message_start', message: { ...message, usage: { input_tokens: 20, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Once more.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'call_1', name: 'Read', input: {} } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"file_path":"b"}' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 10 } },
  { type: 'message_stop' },
]
  .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  .join('');

/** Answers chat completions and the Messages API with one stream each: words and a call of a tool. */
export const createProvider = (): Server =>
  createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'text/event-stream');
      response.end(request.url?.endsWith('/chat/completions') ? CHAT_STREAM : MESSAGES_STREAM);
    });
  });

const toolTurn = (turn: number) => [
  { role: 'assistant', content: [{ type: 'tool_use', id: `call_${turn}`, name: 'Read', input: { file_path: 'a' } }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: `call_${turn}`, content: 'It is empty.' }] },
];

/** The request with which a client goes on after so many turns of one conversation. */
function requestBody(turns: number): string {
  return JSON.stringify({
    model: 'claude-sonnet-4-5',
    max_tokens: 1000,
    stream: true,
    metadata: { user_id: 'user_1_account__session_1' },
    system: [{ type: 'text', text: 'You read files.', cache_control: { type: 'ephemeral' } }],
    tools: ['Read', 'Write'].map((name) => ({
      name,
      description: `${name} a file.`,
      input_schema: { type: 'object', properties: { file_path: { type: 'string' } }, required: ['file_path'] },
    })),
    messages: [
      { role: 'user', content: 'Read the files.' },
      ...Array.from({ length: turns }, (_, turn) => toolTurn(turn)).flat(),
    ],
  });
}

function readCoverage(root: string, scripts: readonly Profiler.ScriptCoverage[]): Coverage {
  const folders = ['src', 'scripts'].map((folder) => `${pathToFileURL(join(root, folder)).href}/`);
  const files = new Map<string, Set<string>>();
  for (const { url, functions } of scripts) {
    if (!folders.some((folder) => url.startsWith(folder))) continue;
    const entered = new Set<string>();
    for (const { functionName, ranges } of functions) {
      const [whole] = ranges;
      if (whole === undefined || whole.count === 0 || FIELD_INITIALIZERS.has(functionName)) continue;
      const isTopLevel = functionName === '' && whole.startOffset === 0;
      entered.add(isTopLevel ? TOP_LEVEL : `${functionName} ${whole.startOffset}-${whole.endOffset}`);
    }
    if (entered.size > 0) files.set(fileURLToPath(url).slice(root.length + 1), entered);
  }
  return files;
}

/** What each of them entered. */
function common(coverages: readonly Coverage[]): Coverage {
  const [first = new Map<string, ReadonlySet<string>>(), ...others] = coverages;
  const entries = [...first].map(([path, entered]) => {
    const kept = [...entered].filter((name) => others.every((other) => other.get(path)?.has(name)));
    return [path, new Set(kept)] as const;
  });
  return new Map(entries);
}

/** What was entered of it beside what the other has. */
function without(coverage: Coverage, other: Coverage): Coverage {
  const entries = [...coverage].map(([path, entered]) => {
    const rest = [...entered].filter((name) => other.get(path)?.has(name) !== true);
    return [path, new Set(rest)] as const;
  });
  return new Map(entries);
}

/** A process of the project's sources that counts what is entered in it. */
class TracedProcess {
  readonly #project: Project;
  readonly #child: ChildProcess;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
  #output = '';

  constructor(project: Project, words: readonly string[]) {
    const { root, environment, signal } = project;
    this.#project = project;
    this.#child = spawn(process.execPath, ['--import', HOOK, ...words], {
      cwd: root,
      env: environment,
      signal,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#child.on('error', () => {}); // whoever waits for a message gets it
    this.ended = new Promise((resolve) => {
      this.#child.once('close', resolve);
    });
    project.ends.push(this.ended);
  }

  /** All that it has written. */
  get output(): string {
    return this.#output;
  }

  /** What was entered since the last time. */
  async take(): Promise<Coverage> {
    this.#child.send('take');
    return this.coverage();
  }

  /** What it sends next. @throws when it ends before, with what it has written. */
  async coverage(): Promise<Coverage> {
    const failure = this.ended.then((code) => {
      throw new Error(`a traced process ended with status ${code}: ${this.#output}`);
    });
    failure.catch(() => {});
    const [scripts] = await Promise.race([once(this.#child, 'message'), failure]);
    return readCoverage(this.#project.root, scripts);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }
}

/** An instance that is run from its sources, with an env file of its own. */
export interface TracedInstance {
  /** Sends one request; resolves when its answer has been read and its line is in the log. */
  ask(turns: number): Promise<void>;
  /** Writes the env file with these settings changed; resolves when the log says that they hold. */
  edit(settings: Readonly<Record<string, string>>): Promise<void>;
  /** What the action enters every time that it is done. */
  trace(action: (time: number) => Promise<void>): Promise<Coverage>;
  /** The same without what the timers of an idle instance enter, which on a busy machine run during each request. */
  traceBeyondIdle(action: (time: number) => Promise<void>): Promise<Coverage>;
  stop(): Promise<void>;
}

async function startInstance(
  project: Project,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<TracedInstance> {
  const { root, signal } = project;
  const port = await freePort();
  const file = join(root, 'envs', `${name}.env`);
  const log = join(root, 'logs', name, `${name}.log`);
  const write = (changes: Readonly<Record<string, string>>) => {
    const lines = Object.entries({ PORT: String(port), PERMISSION_MODEL: 'off', ...settings, ...changes });
    return writeFile(file, lines.map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 });
  };
  const loggedTimes = async (mark: string) => {
    const text = await readFile(log, 'utf8').catch(() => '');
    return text.split(mark).length - 1;
  };
  const untilLogged = async (mark: string, times: number) => {
    const deadline = performance.now() + DEADLINE_MS;
    while ((await loggedTimes(mark)) < times) {
      if (performance.now() > deadline) throw new Error(`${log} does not show ${mark} ${times} times`);
      await pause(POLL_MS, undefined, { signal });
    }
  };
  /** Does something and waits for its line in the log, the last that an instance does about it. */
  const untilNext = async (mark: string, action: () => Promise<void>) => {
    const before = await loggedTimes(mark);
    await action();
    await untilLogged(mark, before + 1);
  };

  await write({});
  const instance = new TracedProcess(project, [join(root, 'src', 'main.ts'), '--env', file]);
  await Promise.race([untilLogged('"event":"lifecycle"', 1), instance.coverage()]);
  const trace: TracedInstance['trace'] = async (action) => {
    const coverages: Coverage[] = [];
    for (let time = 0; time < REPETITIONS; time += 1) {
      await instance.take();
      await action(time);
      coverages.push(await instance.take());
    }
    return common(coverages);
  };
  return {
    ask: (turns) =>
      untilNext('"event":"request"', async () => {
        const response = await fetch(`http://127.0.0.1:${port}/v1/messages`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
          body: requestBody(turns),
          signal,
        });
        const text = await response.text();
        if (!text.includes('message_stop')) throw new Error(`/v1/messages answers ${response.status}: ${text}`);
      }),
    edit: (changes) => untilNext('"config_hash":', () => write(changes)),
    trace,
    traceBeyondIdle: async (action) => {
      await instance.take();
      await pause(IDLE_MS, undefined, { signal });
      const idle = await instance.take();
      return without(await trace(action), idle);
    },
    stop: () => instance.stop(),
  };
}

/** Starts an instance and sends it the first turns of a conversation. */
export async function startWarmInstance(
  ...[project, name, settings]: Parameters<typeof startInstance>
): Promise<TracedInstance> {
  const instance = await startInstance(project, name, settings);
  for (let turns = 0; turns < WARM_UP; turns += 1) await instance.ask(turns);
  return instance;
}

/** Runs the manager once, from its sources. @throws when it does not succeed. */
export async function traceCommand(project: Project, words: readonly string[]): Promise<Coverage> {
  const command = new TracedProcess(project, [join(project.root, 'scripts', 'manage.ts'), ...words]);
  const coverage = await command.coverage();
  const code = await command.ended;
  if (code !== 0) throw new Error(`./manage ${words.join(' ')} ended with status ${code}: ${command.output}`);
  return coverage;
}
