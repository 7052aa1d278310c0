import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { median } from '../report/statistics.ts';
import { freePort } from './freePort.ts';

const runProgram = promisify(execFile);
const MOST_OUTPUT_BYTES = 64 * 2 ** 20;
const TIMES = 5;

const homes = new Set<ManagedHome>();
process.on('exit', () => {
  for (const home of homes) home.dispose();
});

/** A folder with the manager of a build and instances of its own, under a PM2 of its own. */
export class ManagedHome {
  readonly root = mkdtempSync(join(tmpdir(), 'claude-code-proxy-home-'));
  readonly #environment = {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: this.root,
    PM2_HOME: join(this.root, 'pm2'),
  };
  readonly #manager = join(this.root, 'dist/manager.cjs');
  #instances = 0;

  /** @param binary the executable, in the `dist` folder of its checkout */
  constructor(binary: string) {
    const checkout = dirname(dirname(binary));
    for (const folder of ['dist', 'envs', 'logs', 'state']) mkdirSync(join(this.root, folder));
    for (const file of [
      'dist/manager.cjs',
      'dist/healthProbe.cjs',
      'dist/build.json',
      'dist/page',
      'package.json',
      'ecosystem.config.cjs',
    ]) {
      if (existsSync(join(checkout, file))) cpSync(join(checkout, file), join(this.root, file), { recursive: true });
    }
    symlinkSync(binary, join(this.root, 'dist/claude-code-proxy'));
    symlinkSync(join(checkout, 'node_modules'), join(this.root, 'node_modules'));
    homes.add(this);
  }

  /** Runs a command of the manager. @returns what it prints; throws when it fails */
  async manage(...words: readonly string[]): Promise<string> {
    const { stdout } = await runProgram(process.execPath, [this.#manager, ...words], {
      cwd: this.root,
      env: this.#environment,
      maxBuffer: MOST_OUTPUT_BYTES,
    });
    return stdout;
  }

  /** The median of some runs of a command, in ms. */
  async time(...words: readonly string[]): Promise<number | undefined> {
    return timeOf(() => this.manage(...words));
  }

  /** Writes env files until there are so many instances of the demo. */
  async addInstances(until: number): Promise<void> {
    for (; this.#instances < until; this.#instances += 1) {
      const text = `PROVIDER=demo\nPORT=${await freePort()}\nDRAIN_SECONDS=1\n`;
      writeFileSync(join(this.root, 'envs', `demo-${this.#instances}.env`), text, { mode: 0o600 });
    }
  }

  /** Serves the page while it is used. */
  async withPage<Result>(use: (page: Page) => Promise<Result>): Promise<Result> {
    const child = spawn(process.execPath, [this.#manager, 'ui', '--port', String(await freePort())], {
      cwd: this.root,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      return await use(await openPage(child));
    } finally {
      child.kill('SIGKILL');
    }
  }

  /** Ends PM2 with all that runs under it, and removes the folder. */
  dispose(): void {
    if (!homes.delete(this)) return;
    try {
      execFileSync(process.execPath, [this.#manager, 'pm2', 'kill'], {
        cwd: this.root,
        env: this.#environment,
        stdio: 'ignore',
      });
    } finally {
      rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

/** The median of some runs, in ms. */
async function timeOf(work: () => Promise<unknown>): Promise<number | undefined> {
  const times: number[] = [];
  for (let index = 0; index < TIMES; index += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

export interface Page {
  /** The median of some requests of the page's data, in ms. */
  time(path: string): Promise<number | undefined>;
}

async function openPage(child: ChildProcess): Promise<Page> {
  const address = await new Promise<URL>((resolve, reject) => {
    let text = '';
    const read = (bytes: Buffer) => {
      text += bytes;
      const [found] = /http:\/\/127\.0\.0\.1:\d+\/#[\w-]+(?=\s)/.exec(text) ?? [];
      if (found !== undefined) resolve(new URL(found));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`the page has ended: ${text}`)));
  });
  const headers = { origin: address.origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
  const body = JSON.stringify({ secret: address.hash.slice(1) });
  const session = await fetch(`${address.origin}/api/session`, { method: 'POST', headers, body });
  const { key } = (await session.json()) as { key: string };
  const cookie = session.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  return {
    time: (path) =>
      timeOf(async () => {
        const answer = await fetch(address.origin + path, { headers: { ...headers, cookie, 'x-page-key': key } });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`the page answers ${path} with ${answer.status}: ${text.slice(0, 300)}`);
      }),
  };
}
