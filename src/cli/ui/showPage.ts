import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asNumber, parseObject } from '../../core/json.ts';
import { findPortHolder } from '../../host/ports.ts';
import type { Context, Invocation } from '../command.ts';
import { isPortTaken, OWNER_ONLY, replaceFile } from '../envs/envFiles.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { isAlive } from '../supervisor/instances.ts';
import { isAppOf, type Pm2Row } from '../supervisor/pm2.ts';
import { createAddressSecret, redirectFile, removeAddressSecret } from './pageAccess.ts';

const DEFAULT_PORT = 8079;
/** PM2's name of the page, before the suffix of a second checkout. */
const APP = 'claude-code-proxy-ui';
const START_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is kept of the page in state/page.json, which ecosystem.config.cjs reads, too. */
interface PageState {
  readonly port: number;
  /** Whether PM2 keeps it. */
  readonly background: boolean;
  /** Of the process that serves it, or has served it last. */
  readonly pid: number | undefined;
}

function stateFile(root: string): string {
  return join(root, 'state', 'page.json');
}

function readState(root: string): PageState | undefined {
  const path = stateFile(root);
  const state = existsSync(path) ? parseObject(readFileSync(path, 'utf8')) : undefined;
  const port = asNumber(state?.['port']);
  if (state === undefined || port === undefined) return undefined;
  return { port, background: state['background'] === true, pid: asNumber(state['pid']) };
}

function writeState(root: string, state: PageState): void {
  mkdirSync(join(root, 'state'), { recursive: true });
  replaceFile(stateFile(root), `${JSON.stringify(state)}\n`, OWNER_ONLY);
}

/** The page of this checkout that is served now; undefined when there is none. */
export interface RunningPage {
  readonly port: number;
  readonly pid: number;
  readonly background: boolean;
}

/** Whether the page is served: by the process that has said so, which still has its port. */
export async function findPage(root: string): Promise<RunningPage | undefined> {
  const { port, pid, background } = readState(root) ?? {};
  if (port === undefined || pid === undefined || !isAlive(pid)) return undefined;
  // Its number may be another process's by now.
  const holder = await findPortHolder(port);
  const isOurs = holder === undefined ? await isPortTaken(port) : holder.pid === pid;
  return isOurs ? { port, pid, background: background === true } : undefined;
}

/** PM2's row of the page of this checkout. */
function findRow(rows: readonly Pm2Row[], root: string): Pm2Row | undefined {
  return rows.find((row) => isAppOf(row, root) && row.args[0] === 'ui');
}

/** Starts the page again where it is kept in the background and does not run: a part of `start all`. */
export async function startKeptPage({ root, pm2, output }: Context): Promise<ExitCode> {
  const state = readState(root);
  if (state?.background !== true || (await findPage(root)) !== undefined) return exitCodes.ok;
  const row = findRow(await pm2.list(), root);
  if (row !== undefined) await pm2.remove(row.id);
  await pm2.start([APP]);
  const page = await output.wait('starting the page', awaitPage(root));
  if (page === undefined) {
    output.complain(`the page does not come up; why: ${consoleLog(root)}`);
    return exitCodes.notReady;
  }
  output.say(`page up on ${addressOf(page.port)}; open it with: ./manage ui`);
  return exitCodes.ok;
}

/** Ends the page that PM2 runs, which `start all` starts again: a part of `stop all`. */
export async function stopKeptPage({ root, pm2, output }: Context): Promise<void> {
  const row = findRow(await pm2.list(), root);
  if (row === undefined) return;
  await pm2.remove(row.id);
  output.say('page stopped');
}

function consoleLog(root: string): string {
  return join(root, 'logs', 'ui', 'console.log');
}

function addressOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function awaitPage(root: string): Promise<RunningPage | undefined> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const page = await findPage(root);
    if (page !== undefined || performance.now() > deadline) return page;
    await pause(POLL_MS);
  }
}

/** Serves the page until a signal comes, or lets PM2 do it, or ends it; where it is served already, opens it. */
export async function showPage(
  context: Context,
  invocation: Invocation<'pagePort' | 'background' | 'stopPage' | 'open'>,
): Promise<ExitCode> {
  const { root, output } = context;
  if (invocation.stopPage) return endPage(context);
  const port = invocation.pagePort ?? readState(root)?.port ?? DEFAULT_PORT;
  const running = await findPage(root);
  if (running !== undefined) {
    const isAsked = !invocation.background || running.background;
    if (!isAsked || (invocation.pagePort ?? running.port) !== running.port) {
      throw new Failure(`the page runs on port ${running.port} (pid ${running.pid}); end it first: ./manage ui --stop`);
    }
    if (invocation.open) openPage(context, running.port);
    else output.say(`The page runs on ${addressOf(running.port)}.`);
    return exitCodes.ok;
  }
  return invocation.background ? keepPage(context, port, invocation.open) : servePage(context, port, invocation.open);
}

async function servePage(
  { root, output, environment, ...rest }: Context,
  port: number,
  open: boolean,
): Promise<ExitCode> {
  const { startPageServer } = await import('./server.ts');
  const context = { root, output, environment, ...rest };
  const version = String(parseObject(readFileSync(join(root, 'package.json'), 'utf8'))?.['version'] ?? '');
  const server = await startPageServer({ context, version, port, program: managerProgram(root) });
  const isKept = !open && readState(root)?.background === true;
  writeState(root, { port: server.port, background: isKept, pid: process.pid });
  if (open) openPage(context, server.port);
  else output.say(`The page is on ${addressOf(server.port)}; open it with: ./manage ui`);
  output.say('Ctrl-C ends it.');
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
  removeAddressSecret(root);
  await server.close();
  return exitCodes.ok;
}

/** How commands are run from the page: as the user would, by the launcher, which also builds what is old. */
function managerProgram(root: string): readonly [string, ...string[]] {
  const launcher = join(root, 'manage');
  if (process.platform !== 'win32' && existsSync(launcher)) return ['./manage'];
  return [process.execPath, process.argv[1] ?? join(root, 'scripts', 'manage.ts')];
}

async function keepPage(context: Context, port: number, open: boolean): Promise<ExitCode> {
  const { root, output } = context;
  if (await isPortTaken(port)) {
    const holder = await findPortHolder(port);
    const who = holder === undefined ? 'another program' : `pid ${holder.pid} (${holder.program})`;
    throw new Failure(`port ${port} is held by ${who}; take another one: ./manage ui --background --port PORT`);
  }
  mkdirSync(join(root, 'logs', 'ui'), { recursive: true });
  writeState(root, { port, background: true, pid: undefined });
  const code = await startKeptPage(context);
  if (code === exitCodes.ok && open) openPage(context, port);
  if (code === exitCodes.ok) output.say('It stays until: ./manage ui --stop');
  return code;
}

async function endPage(context: Context): Promise<ExitCode> {
  const { root, output } = context;
  const running = await findPage(root);
  await stopKeptPage(context);
  rmSync(stateFile(root), { force: true });
  removeAddressSecret(root);
  if (running === undefined) {
    output.say('The page does not run.');
    return exitCodes.ok;
  }
  if (!running.background) {
    process.kill(running.pid, 'SIGTERM');
    output.say(`page stopped (pid ${running.pid})`);
  }
  return exitCodes.ok;
}

/** The program that opens an address or a file in the browser of a desktop; undefined where nobody would see it. */
export function browserCommand(
  platform: NodeJS.Platform,
  environment: Context['environment'],
): readonly [string, ...string[]] | undefined {
  if (environment['SSH_CONNECTION'] || environment['SSH_TTY']) return undefined;
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  return environment['DISPLAY'] || environment['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined;
}

/** A page that leads on to an address. */
function redirectPage(address: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Claude Code proxy</title><meta http-equiv="refresh" content="0; url=${address}">\n`;
}

/** Opens a new address of the page in the browser, or prints it where there is none. */
function openPage({ root, output, environment }: Context, port: number): void {
  const address = `${addressOf(port)}/#${createAddressSecret(root)}`;
  const print = () => output.print(address);
  const command = browserCommand(process.platform, environment);
  if (command === undefined) {
    output.say('Open this address in a browser on this machine; it works once:');
    print();
    return;
  }
  const file = redirectFile(root);
  replaceFile(file, redirectPage(address), OWNER_ONLY);
  const [program, ...words] = command;
  const child = spawn(program, [...words, file], { env: environment, stdio: 'ignore', detached: true });
  child.once('error', print);
  child.once('exit', (code) => (code === 0 ? undefined : print()));
  child.unref();
  output.say(`The page is on ${addressOf(port)}; to open it again: ./manage ui`);
}
