import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { namesPictures, picture, text, user } from '../helpers/visionStage.ts';

test('a restarted process finds what was described, in a file for its owner alone', async () => {
  const upstream = await startFakeUpstream({ blind: words('done'), eyes: namesPictures });
  onTestFinished(() => upstream.close());
  const state = temporaryFolder();
  onTestFinished(state.remove);
  const start = () =>
    startBinary({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'key-of-the-provider',
      BIG_MODEL: 'blind',
      QUIRK_VISION: '0',
      VISION_MODEL: 'eyes',
      STATE_DIR: state.path,
    });
  const asked = message('opus', { messages: [user(text('What is it?'), picture('a'))] });
  const first = await start();
  await call(`${first.url}/v1/messages`, asked);
  first.process.kill('SIGKILL');
  await first.exited;
  const second = await start();
  onTestFinished(() => second.stop());
  await call(`${second.url}/v1/messages`, asked);
  const sent = upstream.requests.filter(({ body }) => body.model === 'blind').map(({ text: body }) => body);
  expect(upstream.requests).toHaveLength(3);
  expect(sent[1]).toBe(sent[0]);
  expect(sent[0]).toContain('it shows a');
  expect(statSync(join(state.path, 'test.vision.sqlite')).mode & 0o777).toBe(0o600);
  const log = readFileSync(join(second.folder, 'logs/test/test.log'), 'utf8');
  expect(log).not.toContain('cannot be kept');
  expect(log).not.toContain('it shows a');
});
