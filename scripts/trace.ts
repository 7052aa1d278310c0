import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Coverage,
  copyProject,
  createProvider,
  freePort,
  listenAnywhere,
  type Project,
  startWarmInstance,
  TOP_LEVEL,
  type TracedInstance,
  traceCommand,
  WARM_UP,
} from './trace/tracedProject.ts';

const USAGE = `npm run trace:request -- [--json]

Shows which files and functions of the project a request, a reload of the env file and the manager enter.
`;

const COUNTING = `A function counts once when V8 saw at least one call of it, and is distinguished from others by its place in the source: methods,
constructors, getters, arrow functions and other anonymous functions count, also nested ones. The top-level code of a file and the fields of a
class are none. What the timers of an idle instance enter does not count for a request.
A file is entered when one of its functions is, and loaded when its top-level code has run.
`;

/** The stages of a request in their order, by the folders that belong to them. Of several that hold a file, the longest counts. */
const STAGES: Readonly<Record<string, readonly string[]>> = {
  'accept and parse': ['src/server', 'src/protocol/anthropic', 'src/protocol/json'],
  'handle the request': ['src/gateway'],
  'choose and translate': ['src/routing', 'src/translate', 'src/quirks', 'src/providers', 'src/config'],
  'ask the provider': ['src/gateway/adapters', 'src/gateway/fallback', 'src/upstream', 'src/resilience'],
  'answer back': ['src/protocol', 'src/translate/response', 'src/translate/stream', 'src/hooks'],
  end: ['src/telemetry'],
  'all the way': ['src'],
};

interface TracedFile {
  /** From the project's root. */
  readonly path: string;
  /** How many of its functions were entered. */
  readonly functions: number;
}

interface Group {
  readonly name: string;
  readonly files: readonly TracedFile[];
}

interface Trace {
  readonly name: string;
  readonly title: string;
  readonly files: number;
  readonly functions: number;
  /** Stages of a request; layers of the sources for all else. */
  readonly groups: readonly Group[];
}

function stageOf(path: string): string {
  const matches = Object.entries(STAGES)
    .flatMap(([stage, folders]) => folders.map((folder) => ({ stage, folder })))
    .filter(({ folder }) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length);
  return matches[0]?.stage ?? layerOf(path);
}

function layerOf(path: string): string {
  return dirname(path).split('/').slice(0, 2).join('/');
}

const countFunctions = (files: readonly TracedFile[]): number =>
  files.reduce((sum, { functions }) => sum + functions, 0);

function groupFiles(files: readonly TracedFile[], groupOf: (path: string) => string): Group[] {
  const stages = Object.keys(STAGES);
  return [...Map.groupBy(files, ({ path }) => groupOf(path))]
    .map(([name, members]) => ({ name, files: members }))
    .sort((a, b) => stages.indexOf(a.name) - stages.indexOf(b.name));
}

function describeTrace(
  name: string,
  title: string,
  files: readonly TracedFile[],
  groupOf: (path: string) => string,
): Trace {
  return { name, title, files: files.length, functions: countFunctions(files), groups: groupFiles(files, groupOf) };
}

/** Each file that ran at all, by its path. */
function listFiles(coverage: Coverage): TracedFile[] {
  return [...coverage]
    .map(([path, entered]) => ({ path, functions: entered.size - (entered.has(TOP_LEVEL) ? 1 : 0) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function enteredFiles(coverage: Coverage): TracedFile[] {
  return listFiles(coverage).filter(({ functions }) => functions > 0);
}

function loadedFiles(coverage: Coverage): TracedFile[] {
  return listFiles(coverage).filter(({ path }) => coverage.get(path)?.has(TOP_LEVEL) === true);
}

async function traceInstances(project: Project): Promise<Trace[]> {
  const provider = createProvider();
  const baseUrl = `http://127.0.0.1:${await listenAnywhere(provider)}/v1`;
  const settings = { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: 'unused', BIG_MODEL: 'large', SMALL_MODEL: 'small' };
  const askOn = (instance: TracedInstance) => instance.traceBeyondIdle((time) => instance.ask(WARM_UP + time));
  try {
    const chat = await startWarmInstance(project, 'chat', { PROVIDER: 'custom', ...settings });
    const asked = await askOn(chat);
    await chat.edit({ BIG_MODEL: 'larger' });
    const edited = await chat.trace((time) => chat.edit({ BIG_MODEL: `large-${time}` }));
    await chat.stop();
    const native = await startWarmInstance(project, 'native', { PROVIDER: 'custom-anthropic', ...settings });
    const passed = await askOn(native);
    await native.stop();
    return [
      describeTrace('request', 'a streamed request, by chat completions', enteredFiles(asked), stageOf),
      describeTrace('passThrough', 'the same request, passed through', enteredFiles(passed), stageOf),
      describeTrace('reload', 'a reload of the env file', enteredFiles(edited), layerOf),
    ];
  } finally {
    provider.closeAllConnections();
    provider.close();
  }
}

async function traceManager(project: Project): Promise<Trace[]> {
  const lines = ['PROVIDER=demo', `PORT=${await freePort()}`, 'PERMISSION_MODEL=off', ''];
  await writeFile(join(project.root, 'envs', 'demo.env'), lines.join('\n'), { mode: 0o600 });
  try {
    const start = await traceCommand(project, ['start', 'demo']);
    const status = await traceCommand(project, ['status', 'demo']);
    return [
      describeTrace('start', './manage start, files loaded', loadedFiles(start), layerOf),
      describeTrace('status', './manage status, files loaded', loadedFiles(status), layerOf),
    ];
  } finally {
    // Also after an interruption, which ends every other process.
    await traceCommand({ ...project, signal: new AbortController().signal }, ['pm2', 'kill']);
  }
}

function printTraces(traces: readonly Trace[]): string {
  const line = (title: string, files: number | string, functions: number | string) =>
    `${title.padEnd(48)}${String(files).padStart(6)}${String(functions).padStart(11)}`;
  const heading = line('', 'files', 'functions');
  const summary = traces.map(({ title, files, functions }) => line(title, files, functions));
  const details = traces.flatMap(({ title, groups }) => [
    '',
    title,
    ...groups.flatMap(({ name, files }) => [
      line(`  ${name}`, files.length, countFunctions(files)),
      ...files.map(({ path, functions }) => line(`    ${path}`, '', functions)),
    ]),
  ]);
  return `${[heading, ...summary, ...details, '', COUNTING].join('\n')}`;
}

async function run(end: AbortController): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  // By its real path, as V8 names files by that.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'claude-code-proxy-trace-')));
  const project = await copyProject(folder, end.signal);
  try {
    const traces = [...(await traceInstances(project)), ...(await traceManager(project))];
    const text =
      values.json === true ? `${JSON.stringify({ counting: COUNTING, traces }, undefined, 2)}\n` : printTraces(traces);
    process.stdout.write(text);
  } finally {
    end.abort(); // what still runs after a failure; it writes until it has ended
    await Promise.all(project.ends);
    await rm(folder, { recursive: true, force: true });
  }
}

const end = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => end.abort());

try {
  await run(end);
} catch (error) {
  process.stderr.write(`trace: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
