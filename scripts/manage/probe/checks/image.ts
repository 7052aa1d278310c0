import { type FullCheck, ROOM } from '../fullCheck.ts';
import { redSquare } from '../redSquare.ts';
import { fail, failOf, ok, quirk, said } from '../verdict.ts';

const NO_VISION = quirk('vision', 'false');

/** The model sees an image. */
export const image: FullCheck = {
  name: 'image',
  skip: ({ settings }) => (settings.vision ? undefined : 'the model sees no images'),
  turns: [
    () => ({
      max_tokens: ROOM,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: redSquare() } },
            { type: 'text', text: 'Which colour is this square? Answer with one English word.' },
          ],
        },
      ],
    }),
  ],
  judge: (answer) => {
    if (answer.error !== undefined) return failOf(answer.error, NO_VISION);
    return /\bred\b/i.test(answer.text) ? ok('the model sees') : fail(`not red: ${said(answer)}`, NO_VISION);
  },
};
