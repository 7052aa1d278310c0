import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { asNumber, parseObject } from '../../core/json.ts';
import { findPortHolder } from '../../host/ports.ts';
import type { Context } from '../command.ts';
import { isPortTaken, OWNER_ONLY, replaceFile } from '../envs/envFiles.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { isAlive } from '../supervisor/instances.ts';
import { isAppOf, type Pm2Row } from '../supervisor/pm2.ts';
import type { RunningPage } from '../views/statusEntry.ts';

/** PM2's name of the page, before the suffix of a second checkout. */
const APP = 'claude-code-proxy-ui';
const START_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** What is kept of the page in state/page.json, which ecosystem.config.cjs reads, too. */
export interface PageState {
  readonly port: number;
  /** Whether PM2 keeps it. */
  readonly background: boolean;
  /** Of the process that serves it, or has served it last. */
  readonly pid: number | undefined;
}

/** Where it is kept. */
export function pageStateFile(root: string): string {
  return join(root, 'state', 'page.json');
}

/** Undefined when there has been no page, or its file is broken. */
export function readPageState(root: string): PageState | undefined {
  const path = pageStateFile(root);
  const state = existsSync(path) ? parseObject(readFileSync(path, 'utf8')) : undefined;
  const port = asNumber(state?.['port']);
  if (state === undefined || port === undefined) return undefined;
  return { port, background: state['background'] === true, pid: asNumber(state['pid']) };
}

/** @throws when the file cannot be written */
export function writePageState(root: string, state: PageState): void {
  mkdirSync(join(root, 'state'), { recursive: true });
  replaceFile(pageStateFile(root), `${JSON.stringify(state)}\n`, OWNER_ONLY);
}

/** Whether the page is served: by the process that has said so, which still has its port. */
export async function findPage(root: string): Promise<RunningPage | undefined> {
  const { port, pid, background } = readPageState(root) ?? {};
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
  const state = readPageState(root);
  if (state?.background !== true || (await findPage(root)) !== undefined) return exitCodes.ok;
  const row = findRow(await pm2.list(), root);
  if (row !== undefined) await pm2.remove(row.id);
  await pm2.start([APP]);
  const page = await output.wait('starting the page', awaitPage(root));
  if (page === undefined) {
    output.complain(`the page does not come up; why: ${consoleLog(root)}`);
    return exitCodes.notReady;
  }
  output.say(`page up on ${pageAddress(page.port)}; open it with: ./manage ui`);
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

/** The address without its secret. */
export function pageAddress(port: number): string {
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
