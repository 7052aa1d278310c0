import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { pdfDocument } from '../helpers/pdfDocument.ts';
import { pngImage } from '../helpers/pngImage.ts';
import { mediaOf, messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import type { Settings } from '../helpers/startApp.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

/** Lets claude read a file, and gives the request that brings its content. */
async function readFile(name: string, content: Buffer, settings: Settings): Promise<ReceivedRequest> {
  const folder = workFolder();
  const path = join(folder, name);
  writeFileSync(path, content);
  const { url, upstream } = await setStage(
    reply((request) =>
      resultsOf(request).length > 0 ? { text: 'SEEN' } : { calls: [{ name: 'Read', input: { file_path: path } }] },
    ),
    settings,
  );
  const run = await runClaude(url, `Look at ${name}.`, { folder, allowedTools: 'Read' });
  expect(run).toMatchObject({ exitCode: 0, text: 'SEEN' });
  expect(upstream.requests).toHaveLength(2);
  return upstream.requests[1] as ReceivedRequest;
}

test('R127 a picture that claude reads reaches a model that sees', async () => {
  const request = await readFile('p.png', pngImage(), {});
  expect(mediaOf(request)).toEqual([
    { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/png;base64,iVBORw0KGgo/) } },
  ]);
  expect(resultsOf(request)[0]).toContain('image attached below');
});

test('R122 a model that does not see learns that there was a picture', async () => {
  const request = await readFile('p.png', pngImage(), { QUIRK_VISION: '0' });
  expect(mediaOf(request)).toEqual([]);
  expect(messagesOf(request).slice(2).map(textOf).join('\n')).toMatch(/image/i);
});

test('R123 a PDF that claude reads reaches a provider that takes PDF', async () => {
  const request = await readFile('d.pdf', pdfDocument('PDF-MARK'), { QUIRK_PDF: '1' });
  expect(mediaOf(request)).toEqual([
    {
      type: 'file',
      file: { filename: expect.any(String), file_data: expect.stringMatching(/^data:application\/pdf;base64,JVBERi0/) },
    },
  ]);
});

test('R123 another provider learns that there was a PDF', async () => {
  const request = await readFile('d.pdf', pdfDocument('PDF-MARK'), {});
  expect(mediaOf(request)).toEqual([]);
  expect(messagesOf(request).slice(2).map(textOf).join('\n')).toMatch(/pdf/i);
});
