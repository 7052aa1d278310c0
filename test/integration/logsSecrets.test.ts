import { expect, test } from 'vitest';
import { createRedactor, Secret } from '../../src/core/secret.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { CapturedOutput } from '../helpers/captureOutput.ts';
import { JumpingClock, makeFolder, openTestLog, readLines } from '../helpers/logFolder.ts';

const KEY = 'sk-canary/7f3b+2c "\\9d';
const FORMS: readonly [string, string][] = [
  ['plain', KEY],
  ['base64', Buffer.from(KEY).toString('base64')],
  ['base64url', Buffer.from(KEY).toString('base64url')],
  ['URL-encoded', encodeURIComponent(KEY)],
  ['as JSON', JSON.stringify(KEY).slice(1, -1)],
];

test('G5 G6 at level debug each line is one JSON object, and a planted key is in none of them in any form', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory });
  const stdout = new CapturedOutput();
  const redact = createRedactor([new Secret(KEY)]);
  const logger = createLogger({ instance: 'kimi', level: 'debug', log, redact, stdout, clock: new JumpingClock() });
  const odd = 'line\nbreak \u2028 \u2029 \u0085 \u001b[31m \u0000 \ud800 end';
  for (const [name, form] of FORMS) {
    logger.debug(`${name} ${form}`, { key: form, nested: { list: [form] }, odd });
    logger.warn(`${name} ${form}`, { key: form, odd });
    logger.lifecycle(`${name} ${form}`, { key: form });
    logger.request({
      id: 'req_1',
      endpoint: '/v1/messages',
      provider: 'demo',
      model: form,
      stream: true,
      status: 401,
      outcome: 'error',
      errorMessage: `${odd} wrong key: ${form}`,
      notes: [form],
      durationMs: 1,
    });
  }
  await log.close();
  const lines = readLines(directory);
  expect(lines).toHaveLength(FORMS.length * 4);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ instance: 'kimi' });
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  }
  const everything = `${lines.join('\n')}\n${stdout.text}`;
  expect(stdout.text.split('\n')).toHaveLength(FORMS.length * 2 + 1);
  for (const [, form] of FORMS) expect(everything).not.toContain(form);
});
