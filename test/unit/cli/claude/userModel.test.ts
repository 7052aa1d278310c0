import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { isOnlyOfInstances, userSettingsFile, withUserModel } from '../../../../src/cli/claude/userModel.ts';
import type { Context } from '../../../../src/cli/command.ts';
import { configOf } from '../../../helpers/configText.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

const config = configOf(['PROVIDER=demo', 'BIG_MODEL=demo-big']);

let file: string;
let said: string[];
let context: Context;

beforeEach(() => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const environment = { HOME: path };
  file = userSettingsFile(environment);
  mkdirSync(dirname(file));
  said = [];
  context = { environment, output: { say: (text: string) => said.push(text) } } as unknown as Context;
});

/** A session in which the client writes such settings; gives the text of the file afterwards. */
async function session(before: string | undefined, written: object | undefined): Promise<string | undefined> {
  if (before !== undefined) writeFileSync(file, before);
  await withUserModel(context, config, async () => {
    if (written !== undefined) writeFileSync(file, JSON.stringify(written));
  });
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

test('a model that was picked in the session is put back, to the letter', async () => {
  const before = '{\n "model" : "opusplan",\n "theme": "dark" }\n\n';
  expect(await session(before, { theme: 'dark', model: 'sonnet' })).toBe(before);
  expect(said.join()).toContain('your own default is again opusplan');
});

test('what else was changed meanwhile stays', async () => {
  const after = await session('{"model":"opusplan"}', { theme: 'light', model: 'haiku' });
  expect(JSON.parse(after ?? '')).toEqual({ theme: 'light', model: 'opusplan' });
});

test('where there was none it is taken out', async () => {
  expect(JSON.parse((await session('{"theme":"dark"}', { theme: 'dark', model: 'opus' })) ?? '')).toEqual({
    theme: 'dark',
  });
  rmSync(file);
  expect((await session(undefined, { model: 'opus' }))?.trim()).toBe('{}');
});

test.each([
  ['a model that is not one of the menu', '{"model":"opusplan"}', { model: 'claude-opus-5-5' }],
  ['the model from before', '{"model":"sonnet"}', { model: 'sonnet' }],
  ['no model', '{"model":"sonnet"}', { theme: 'dark' }],
])('%s is left as it is', async (_what, before, written) => {
  expect(await session(before, written)).toBe(JSON.stringify(written));
  expect(said).toEqual([]);
});

test('nothing is made where the client has written nothing', async () => {
  expect(await session(undefined, undefined)).toBeUndefined();
});

test('what a killed session has left is no default to go back to', async () => {
  expect(await session('{"model":"claude-demo--demo-big"}', undefined)).toBe('{}');
});

test('the session’s failure puts it back, too', async () => {
  writeFileSync(file, '{"model":"opusplan"}');
  const failing = withUserModel(context, config, async () => {
    writeFileSync(file, '{"model":"sonnet"}');
    throw new Error('gone');
  });
  await expect(failing).rejects.toThrow('gone');
  expect(readFileSync(file, 'utf8')).toBe('{"model":"opusplan"}');
});

test.each([
  ['claude-kimi--kimi-k3', true],
  ['claude-kimi--kimi-k3[1m]', true],
  ['mine', true],
  ['claude-opus-5-5', false],
  ['sonnet', false],
])('whether %s means something only to an instance: %s', (model, expected) => {
  expect(isOnlyOfInstances(model, ['mine'])).toBe(expected);
});
