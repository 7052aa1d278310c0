import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, test as anyTest, inject } from 'vitest';
import type { Settings } from '../helpers/startApp.ts';
import { type Binary, freePort, startBinary } from '../helpers/startBinary.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import type { Program } from './debianPackages.ts';

export interface LlamaServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Stage {
  readonly server: LlamaServer;
  readonly proxy: Binary;
}

async function startServer({ command, environment, model }: Program & { model: string }, context: number) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [program = '', ...begin] = command;
  const words = ['--model', model, '--host', '127.0.0.1', '--port', String(port), '--ctx-size', String(context)];
  // One slot, so that its cache is the last conversation's; the likeliest token always, so that answers are certain. A second
  // thread for single tokens waits more than it works.
  const certain = ['--parallel', '1', '--top-k', '1', '--threads', '1', '--threads-batch', '2'];
  const quick = ['--batch-size', '2048', '--ubatch-size', '2048'];
  const child = spawn(
    program,
    [...begin, ...words, ...certain, ...quick, '--metrics', '--slots', '--offline', '--no-ui'],
    {
      env: { PATH: process.env['PATH'], ...environment },
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      output += bytes;
    });
  }
  const exited = once(child, 'close');
  await waitUntil('llama-server is ready', async () => {
    if (child.exitCode !== null) throw new Error(`llama-server ended: ${output}`);
    return fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url, stop };
}

/**
 * `test` with a `stage`: a llama-server with a context of that many tokens, and the built executable before it, for the whole
 * file. The tests are skipped where no llama-server can be had.
 */
export function testWithContext(context: number, settings: Settings = {}) {
  let stage: Promise<Stage> | undefined;
  afterAll(async () => {
    const started = await stage;
    await started?.proxy.stop();
    await started?.server.stop();
  });
  return anyTest.extend('stage', ({ skip }) => {
    const found = inject('llamaServer');
    if ('reason' in found) return skip(found.reason);
    stage ??= (async () => {
      const server = await startServer(found, context);
      const local = { PROVIDER: 'llamacpp', OPENAI_BASE_URL: `${server.url}/v1`, BIG_MODEL: 'scripted' };
      return { server, proxy: await startBinary({ ...local, ...settings }, 'llamacpp') };
    })();
    return stage;
  });
}
