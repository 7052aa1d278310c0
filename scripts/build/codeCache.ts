import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendWarmUpRequests, startFakeProvider } from './warmUp.ts';

/** After this time it is ended. */
const LIMIT_MS = 30_000;

/** Of what the process said: a failure quotes the line in which it happened, and those of a bundle are long. */
const SHOWN_CHARACTERS = 2000;

/** The last of what the process says. */
function listenTo(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes) => {
      output += bytes;
    });
  }
  return () => output.trim().slice(-SHOWN_CHARACTERS);
}

/**
 * Runs the bundle in the folder `bundle` as an instance, and writes each of its chunks into the folder `target` in the form in
 * which the executable loads it, with its code cache: what V8 compiled until the instance had answered one request of each kind.
 * A start then compiles nothing. That is 36 ms less of 180 than with a cache that is made before the program has run, as Node's
 * `useCodeCache` does, and which knows the functions of the outermost level only.
 * @throws when the instance does not start or does not answer, which a program shall not be packed with.
 */
export async function recordCodeCache(bundle: string, target: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-code-proxy-build-'));
  const provider = await startFakeProvider();
  const file = join(folder, 'warm-up.env');
  const lines = [
    `OPENAI_BASE_URL=${provider.url}`,
    'OPENAI_API_KEY=none-needed',
    'BIG_MODEL=any',
    `LOG_DIR='${join(folder, 'logs')}'`,
    `STATE_DIR='${join(folder, 'state')}'`,
  ];
  await writeFile(file, lines.join('\n'), { mode: 0o600 });
  const child = fork(join(import.meta.dirname, 'codeRecorder.cjs'), [bundle, '--env', file], {
    cwd: folder,
    env: {},
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: LIMIT_MS,
  });
  try {
    const output = listenTo(child);
    const ended = once(child, 'close');
    const failed = ended.then(([code, signal]) => {
      throw new Error(`The bundle does not run (${signal ?? `exit ${code}`}). ${output()}`);
    });
    const [port] = await Promise.race([once(child, 'message'), failed]);
    await Promise.race([sendWarmUpRequests(port), failed]);
    child.send(target);
    const [code] = await ended;
    if (code !== 0) await failed;
  } finally {
    child.kill('SIGKILL');
    provider.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }); // what has just ended may still hold its files
  }
}
