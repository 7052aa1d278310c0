import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { words } from '../helpers/fakeUpstream.ts';
import { startPickyUpstream } from '../helpers/pickyUpstream.ts';
import { pngImage } from '../helpers/pngImage.ts';
import { mediaOf, messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

test('a screenshot that claude reads is described to a blind model by a second instance, once for the whole conversation', async () => {
  const folder = workFolder();
  const path = join(folder, 'screenshot.png');
  writeFileSync(path, pngImage(64));
  const seeing = await startPickyUpstream(words('A dialog with the words DISK FULL (E-4711).'));
  const eyes = await startBinary({
    OPENAI_BASE_URL: seeing.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'big',
    SMALL_MODEL: 'seer',
    ANTHROPIC_API_KEY: 'token-of-the-instance-that-sees',
  });
  onTestFinished(() => eyes.stop());
  const { url, upstream } = await setStage(
    reply((request) => {
      const results = resultsOf(request).length;
      if (results === 0) return { calls: [{ name: 'Read', input: { file_path: path } }] };
      if (results === 1) return { calls: [{ id: 'call_2', name: 'Bash', input: { command: 'true' } }] };
      return { text: 'The disk is full.' };
    }),
    { QUIRK_VISION: '0', VISION_URL: eyes.url, VISION_TOKEN: 'token-of-the-instance-that-sees' },
  );
  const run = await runClaude(url, 'What does the error dialog in screenshot.png say?', {
    folder,
    allowedTools: 'Read,Bash',
  });
  expect(run).toMatchObject({ exitCode: 0, text: 'The disk is full.' });
  expect(seeing.requests).toHaveLength(1);
  const [asked] = seeing.requests;
  expect(asked?.body.model).toBe('seer');
  expect(asked && mediaOf(asked)).toHaveLength(1);
  const question = asked === undefined ? '' : messagesOf(asked).map(textOf).join('\n');
  expect(question).toContain('What does the error dialog in screenshot.png say?');
  expect(question).toContain('the tool Read');
  const [, second, third] = upstream.requests;
  expect(second && resultsOf(second)[0]).toContain('DISK FULL (E-4711)');
  expect(upstream.requests.flatMap(mediaOf)).toEqual([]);
  const before = JSON.stringify(second?.body.messages).slice(0, -1);
  expect(JSON.stringify(third?.body.messages).startsWith(before)).toBe(true);
});
