import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { secretsOf } from '../../../../src/cli/bundle/redact.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { sampleInstance } from '../supervisor/sampleInstance.ts';

const revealed = (instance: Parameters<typeof secretsOf>[0]) => secretsOf(instance).map((secret) => secret.reveal());

test('the secrets of a sound env file are those of its configuration', () => {
  expect(revealed(sampleInstance('one', 'PROVIDER=kimi\nPORT=8081\nOPENAI_API_KEY=the-key-1234\n'))).toContain(
    'the-key-1234',
  );
});

test('of a wrong one, whatever stands in a line that may hold a secret, in each way to read it', () => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const file = join(path, 'wrong.env');
  writeFileSync(
    file,
    `PORT=many\nOPENAI_API_KEY="the key" # mine\nexport MY_TOKEN: 'a-token'\nCUSTOM_HEADER_X_AUTH=plain-one # note\nHOST=not-secret\n`,
  );
  const wrong = sampleInstance('wrong', 'PORT=many\n');
  const found = revealed({ ...wrong, app: { ...wrong.app, args: ['--env', file] } });
  expect(found).toEqual(expect.arrayContaining(['the key', 'a-token', 'plain-one']));
  expect(found).not.toContain('not-secret');
});
