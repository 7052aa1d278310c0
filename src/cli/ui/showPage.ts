import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseObject } from '../../core/json.ts';
import { findPortHolder } from '../../host/ports.ts';
import type { Context, Invocation } from '../command.ts';
import { isPortTaken, OWNER_ONLY, replaceFile } from '../envs/envFiles.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { createAddressSecret, redirectFile, removeAddressSecret } from './pageAccess.ts';
import {
  findPage,
  pageAddress,
  pageStateFile,
  readPageState,
  startKeptPage,
  stopKeptPage,
  writePageState,
} from './pageProcess.ts';

const DEFAULT_PORT = 8079;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Serves the page until a signal comes, or lets PM2 do it, or ends it; where it is served already, opens it. */
export async function showPage(
  context: Context,
  invocation: Invocation<'pagePort' | 'background' | 'stopPage' | 'open'>,
): Promise<ExitCode> {
  const { root, output } = context;
  if (invocation.stopPage) return endPage(context);
  const port = invocation.pagePort ?? readPageState(root)?.port ?? DEFAULT_PORT;
  const running = await findPage(root);
  if (running !== undefined) {
    const isAsked = !invocation.background || running.background;
    if (!isAsked || (invocation.pagePort ?? running.port) !== running.port) {
      throw new Failure(`the page runs on port ${running.port} (pid ${running.pid}); end it first: ./manage ui --stop`);
    }
    if (invocation.open) openPage(context, running.port);
    else output.say(`The page runs on ${pageAddress(running.port)}.`);
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
  const isKept = !open && readPageState(root)?.background === true;
  writePageState(root, { port: server.port, background: isKept, pid: process.pid });
  if (open) openPage(context, server.port);
  else output.say(`The page is on ${pageAddress(server.port)}; open it with: ./manage ui`);
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
  mkdirSync(join(root, 'logs', 'ui'), { recursive: true, mode: 0o700 });
  writePageState(root, { port, background: true, pid: undefined });
  const code = await startKeptPage(context);
  if (code === exitCodes.ok && open) openPage(context, port);
  if (code === exitCodes.ok) output.say('It stays until: ./manage ui --stop');
  return code;
}

async function endPage(context: Context): Promise<ExitCode> {
  const { root, output } = context;
  const running = await findPage(root);
  await stopKeptPage(context);
  rmSync(pageStateFile(root), { force: true });
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
  const address = `${pageAddress(port)}/#${createAddressSecret(root)}`;
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
  output.say(`The page is on ${pageAddress(port)}; to open it again: ./manage ui`);
}
