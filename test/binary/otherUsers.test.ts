import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, message } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const KEY = 'sk-nobody-else-sees-this';
const SAID = 'words of a conversation';

test('another user of the machine can read no file that an instance writes', async () => {
  const binary = await startBinary({ PROVIDER: 'demo' });
  onTestFinished(() => binary.stop());
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  const usage = join(binary.folder, 'state/test.usage.sqlite');
  await waitUntil('usage is written', async () =>
    readdirSync(join(binary.folder, 'state')).includes('test.usage.sqlite'),
  );
  expect(statSync(usage).isFile()).toBe(true);
  binary.process.kill('SIGTERM');
  await binary.exited;
  const files = ['logs', 'state'].flatMap((folder) =>
    readdirSync(join(binary.folder, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const modes = files
    .map((name) => [name, statSync(join(binary.folder, name))] as const)
    .filter(([, stat]) => stat.isFile())
    .map(([name, { mode }]) => [name, mode & 0o077] as const);
  expect(modes.length).toBeGreaterThanOrEqual(2);
  expect(modes.filter(([, others]) => others !== 0)).toEqual([]);
});

test.runIf(process.platform === 'linux')('another user sees no key among the processes', async () => {
  const binary = await startBinary({ PROVIDER: 'demo', OPENAI_API_KEY: KEY, ANTHROPIC_API_KEY: KEY });
  onTestFinished(() => binary.stop());
  for (const name of ['cmdline', 'comm', 'environ', 'status'])
    expect(readFileSync(`/proc/${binary.process.pid}/${name}`, 'latin1')).not.toContain(KEY);
});

test('a stolen log or state folder holds nothing of what was said', async () => {
  const binary = await startBinary({ PROVIDER: 'demo', LOG_LEVEL: 'debug' });
  onTestFinished(() => binary.stop());
  for (const stream of [true, false]) {
    const content = [{ role: 'user', content: SAID }];
    const tools = [{ name: 'secret_tool', description: SAID, input_schema: { type: 'object' } }];
    await call(
      `${binary.url}/v1/messages`,
      message('claude-opus-5', { stream, messages: content, system: SAID, tools }),
    );
  }
  const broken = { ...message('x'), body: `{"model": "${SAID}", "messages": [` };
  expect((await call(`${binary.url}/v1/messages`, broken)).status).toBe(400);
  binary.process.kill('SIGTERM');
  await binary.exited;
  for (const folder of ['logs/test', 'state']) {
    for (const name of readdirSync(join(binary.folder, folder)))
      expect(readFileSync(join(binary.folder, folder, name), 'latin1')).not.toContain(SAID);
  }
  expect(binary.output()).not.toContain(SAID);
});
