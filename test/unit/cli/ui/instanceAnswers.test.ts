import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Context } from '../../../../src/cli/command.ts';
import { commandTable } from '../../../../src/cli/commandTable.ts';
import { createPm2 } from '../../../../src/cli/supervisor/pm2.ts';
import { InstanceAnswers } from '../../../../src/cli/ui/instanceAnswers.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { waitUntil } from '../../../helpers/waitUntil.ts';

const REPOSITORY = resolve(import.meta.dirname, '..', '..', '..', '..');

test('the first answer does not wait for the doctor, whose problems are in a later one', async () => {
  const { path: root, remove } = temporaryFolder();
  onTestFinished(remove);
  for (const folder of ['envs', 'state']) mkdirSync(join(root, folder));
  for (const file of ['ecosystem.config.cjs', 'package.json']) copyFileSync(join(REPOSITORY, file), join(root, file));
  writeFileSync(join(root, 'envs', 'demo.env'), 'PROVIDER=demo\nPORT=9\n', { mode: 0o600 });
  const environment = { PM2_HOME: join(root, 'pm2'), HOME: root, PATH: process.env['PATH'] };
  const list = vi.fn(async () => []);
  const pm2 = { ...createPm2({ root, environment }), list };
  const output = {} as Context['output'];
  const context: Context = { root, environment, pm2, output, prompter: undefined, commands: commandTable };
  const answers = new InstanceAnswers(context, '1.2.3', () => undefined);
  const isMachine = ({ instance }: { readonly instance: string | null }) => instance === null;
  const first = await answers.now();
  expect(first.instances.map(({ name }) => name)).toEqual(['demo']);
  expect(first.problems.filter(isMachine)).toEqual([]);
  expect(list).toHaveBeenCalledTimes(1); // the doctor lists them, too
  await waitUntil('the doctor', async () => (await answers.now()).problems.some(isMachine));
});
