import { expect } from 'vitest';
import { pngImage } from '../helpers/pngImage.ts';
import { call, message } from '../helpers/startApp.ts';
import { testWithContext } from './llamaServer.ts';

/** A real llama-server as the side model. Without a projector, which is a part of the weights, it refuses pictures. */

const test = testWithContext(32_768, { QUIRK_VISION: '0', VISION_MODEL: 'seer' });

const source = { type: 'base64', media_type: 'image/png', data: pngImage(64).toString('base64') };

test('a server without a projector counts as one that sees nothing, not as one that is broken, and the request goes on', async ({
  stage: { proxy },
}) => {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'image', source },
        { type: 'text', text: 'Hi' },
      ],
    },
  ];
  const asked = message('opus', { messages });
  const answer = await call(`${proxy.url}/v1/messages`, asked);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text).content).not.toEqual([]);
  const shown = await call(`${proxy.url}/v1/messages/test_conversion`, asked);
  expect(shown.text).toContain('[Picture 1 could not be described: ');
  expect(shown.text).toContain('sees none itself');
});
