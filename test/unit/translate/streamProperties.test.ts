import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  arbitraryEnding,
  arbitraryFrames,
  arbitraryFraming,
  arbitraryOptions,
  RUNS,
  TIME_LIMIT,
  writeFrames,
} from '../../helpers/arbitraryStream.ts';
import { checkEvents } from '../../helpers/eventGrammar.ts';
import { foldEvents } from '../../helpers/fold.ts';
import { createResponseContext } from '../../helpers/responseContext.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

test('U19 R322 any cut of the bytes gives the same events', { timeout: TIME_LIMIT }, () => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 });
  fc.assert(
    fc.property(arbitraryFrames, arbitraryFraming, arbitraryOptions, cuts, (frames, framing, options, positions) => {
      const bytes = writeFrames(frames, framing);
      const sorted = positions.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b);
      const whole = runTranslator(createResponseContext(options), bytes);
      const inPieces = runTranslator(createResponseContext(options), bytes, { cuts: sorted });
      expect(inPieces.text).toBe(whole.text);
      expect(inPieces.translator.outcome).toEqual(whole.translator.outcome);
    }),
    { numRuns: RUNS },
  );
});

test('U19 R322 one byte at a time gives the same events', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(arbitraryFrames, arbitraryFraming, (frames, framing) => {
      const bytes = writeFrames(frames, framing);
      const whole = runTranslator(createResponseContext(), bytes);
      const inPieces = runTranslator(createResponseContext(), bytes, { cuts: [...bytes.keys()] });
      expect(inPieces.text).toBe(whole.text);
    }),
    { numRuns: RUNS / 10 },
  );
});

test('U19 whatever a provider sends, the events obey the grammar and fold into the same message', {
  timeout: TIME_LIMIT,
}, () => {
  fc.assert(
    fc.property(
      arbitraryFrames,
      arbitraryFraming,
      arbitraryOptions,
      arbitraryEnding,
      (frames, framing, options, ending) => {
        const bytes = writeFrames(frames, framing);
        const { text, translator } = runTranslator(createResponseContext(options), bytes, { ending });
        const { outcome } = translator;
        checkEvents(text);
        expect(outcome.ended).toBe(true);
        expect(text !== '').toBe(outcome.started);
        expect(text.endsWith('{"type":"message_stop"}\n\n')).toBe(outcome.error === undefined);

        const whole = runTranslator(createResponseContext(options), bytes, { ending, output: 'message' }).translator;
        expect(whole.outcome).toEqual(outcome);
        if (outcome.error === undefined) expect(foldEvents(text)).toEqual(whole.message());
      },
    ),
    { numRuns: RUNS },
  );
});

test('the shortcut for chunks of text changes nothing', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(arbitraryFrames, arbitraryOptions, (frames, options) => {
      const plain = frames.map((data) => `data: ${data}\n\n`).join('');
      // Frames that name their event are always parsed.
      const named = frames.map((data) => `event: message\ndata: ${data}\n\n`).join('');
      const quick = runTranslator(createResponseContext(options), Buffer.from(plain));
      const thorough = runTranslator(createResponseContext(options), Buffer.from(named));
      expect(quick.text).toBe(thorough.text);
    }),
    { numRuns: RUNS },
  );
});
