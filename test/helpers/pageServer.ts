import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Context } from '../../src/cli/command.ts';
import { commandTable } from '../../src/cli/commandTable.ts';
import { createPm2 } from '../../src/cli/supervisor/pm2.ts';
import { KEY_HEADER } from '../../src/cli/ui/contract.ts';
import { createAddressSecret } from '../../src/cli/ui/pageAccess.ts';
import { startPageServer } from '../../src/cli/ui/server.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const REPOSITORY = resolve(import.meta.dirname, '..', '..');

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The server of the page for a folder of its own, with a demo instance that does not run. */
export interface PageStage {
  readonly root: string;
  readonly port: number;
  /** Any request, with the headers as they are given: Host too. */
  ask(method: string, path: string, headers?: Headers, body?: string): Promise<Answer>;
  /** Opens the page as its owner does; gives the headers of its requests. */
  open(): Promise<Record<string, string>>;
  /** What the owner's page gets. */
  get<T>(path: string): Promise<T>;
}

export interface StageOptions {
  /** Called before the server starts, with the folder of the project. */
  readonly prepare?: (root: string) => void;
  readonly program?: readonly [string, ...string[]];
}

export async function startPageStage({ prepare, program = ['/bin/echo'] }: StageOptions = {}): Promise<PageStage> {
  const { path: root, remove } = temporaryFolder();
  onTestFinished(remove);
  for (const folder of ['envs', 'state', 'logs', 'dist/page']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(join(REPOSITORY, 'ecosystem.config.cjs'), join(root, 'ecosystem.config.cjs'));
  writeFileSync(join(root, 'envs', 'demo.env'), 'PROVIDER=demo\nPORT=9\n', { mode: 0o600 });
  writeFileSync(join(root, 'dist/page/index.html'), '<!doctype html>');
  writeFileSync(join(root, 'dist/page/page.js'), '"use strict";');
  prepare?.(root);
  const environment = { PM2_HOME: join(root, 'pm2'), HOME: root, PATH: process.env['PATH'] };
  const context: Context = {
    root,
    environment,
    pm2: createPm2({ root, environment }),
    output: silentOutput,
    prompter: undefined,
    commands: commandTable,
  };
  const server = await startPageServer({ context, version: '1.2.3', port: 0, program });
  onTestFinished(() => server.close());
  const { port } = server;
  const ask: PageStage['ask'] = (method, path, headers = {}, body = undefined) =>
    new Promise((done, failed) => {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const given = Object.entries({ host: `127.0.0.1:${port}`, ...json, ...headers });
      const raw = given.flatMap(([name, value]) => [value ?? []].flat().flatMap((one) => [name, one]));
      const sent = request({ host: '127.0.0.1', port, method, path, headers: raw, setHost: false, agent: false });
      sent.on('error', failed);
      sent.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.end(body);
    });
  const open = async () => {
    const answer = await ask('POST', '/api/session', {}, JSON.stringify({ secret: createAddressSecret(root) }));
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    return { cookie: cookie.split(';')[0] ?? '', [KEY_HEADER]: String(JSON.parse(answer.text).key) };
  };
  let session: Record<string, string> | undefined;
  return {
    root,
    port,
    ask,
    open,
    get: async (path) => {
      session ??= await open();
      const answer = await ask('GET', path, session);
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
      return JSON.parse(answer.text);
    },
  };
}

const silentOutput: Context['output'] = {
  program: './manage',
  isTerminal: false,
  columns: undefined,
  print: () => {},
  show: () => {},
  say: () => {},
  complain: () => {},
  wait: (_what, work) => work,
  paint: (_colour, text) => text,
};
