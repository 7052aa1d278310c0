import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, message } from '../helpers/startApp.ts';
import { type Binary, spawnBinary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

interface Hooked {
  readonly binary: Binary;
  readonly write: (source: string) => void;
  /** The words of an answer. */
  readonly ask: (fields?: Record<string, unknown>) => Promise<string>;
}

async function startHooked(source: string): Promise<Hooked> {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const write = (text: string) => writeFileSync(join(path, 'hooks.mjs'), text);
  writeFileSync(join(path, 'words.mjs'), "export const words = 'from another file';");
  write(source);
  const binary = await startBinary({ PROVIDER: 'demo', HOOKS_FILE: join(path, 'hooks.mjs') });
  onTestFinished(() => binary.stop());
  const ask = async (fields = {}) => {
    const { status, text } = await call(`${binary.url}/v1/messages`, message('claude-opus-5', fields));
    expect(status).toBe(200);
    return JSON.parse(text).content[0].text;
  };
  return { binary, write, ask };
}

test('the executable loads a hooks file with its imports, cuts an endless loop and takes a changed file over', async () => {
  const { binary, write, ask } = await startHooked(`
    import { platform } from 'node:os';
    import { words } from './words.mjs';
    export function request(body) { if (body.metadata?.user_id === 'loop') for (;;); }
    export async function response(message) {
      message.content[0].text = words + ' on ' + platform();
      return message;
    }`);
  await waitUntil('the file is loaded', async () => (await ask()) === `from another file on ${process.platform}`);
  const looped = ask({ metadata: { user_id: 'loop' } });
  expect((await call(`${binary.url}/health`)).status).toBe(200);
  await looped;
  expect(binary.output()).toMatch(/warn test: the request hook failed.* reason=it took longer than 1000 ms/);
  await waitUntil('the hooks are back', async () => (await ask()).startsWith('from another file'));

  write(`export const response = (message) => ({ ...message, content: [{ type: 'text', text: 'changed' }] });`);
  await waitUntil('the changed file is loaded', async () => (await ask()) === 'changed');
  write('export const response = (;');
  await waitUntil('the broken file is reported', async () => binary.output().includes('the hooks file cannot be used'));
  expect(await ask()).toBe('changed');
});

test('a hooks file that is not there keeps the instance from starting, and says so', async () => {
  const binary = await spawnBinary({ PROVIDER: 'demo', HOOKS_FILE: 'nowhere.mjs' });
  onTestFinished(() => binary.stop());
  expect(await binary.exited).toBe(78);
  expect(binary.output()).toMatch(
    /test\.env:\d+ +HOOKS_FILE +error: found the file "nowhere\.mjs", which cannot be read/,
  );
});
