import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const root = join(import.meta.dirname, '..', '..');

/** A copy of the sources, as a test must not touch those that others are running. */
function copyProject(): string {
  const { path: copy, remove } = temporaryFolder();
  onTestFinished(remove);
  for (const path of ['src', 'scripts/dev.ts', 'package.json']) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

test('npm run dev answers with the demo provider, and starts again when a source changes', async () => {
  const project = copyProject();
  const port = await freePort();
  mkdirSync(join(project, 'state'));
  writeFileSync(join(project, 'state', 'dev.env'), `PROVIDER=demo\nPORT=${port}\n`, { mode: 0o600 });
  const child = spawn(process.execPath, ['scripts/dev.ts'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });

  const listening = /listening on http:\/\/127\.0\.0\.1:(\d+) provider=demo/;
  const pids: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (!listening.test(line)) continue;
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    pids.push(JSON.parse(await response.text()).pid);
    if (pids.length === 2) break;
    const now = new Date();
    utimesSync(join(project, 'src', 'version.ts'), now, now);
  }
  expect(new Set(pids).size).toBe(2);
});
