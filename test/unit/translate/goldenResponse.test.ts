import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../helpers/fold.ts';
import { expectGolden, readGoldenCases } from '../../helpers/goldenCase.ts';
import { createResponseContext } from '../../helpers/responseContext.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

/** An upstream body -> the message of a non-streaming answer, or the error that is answered instead. */
describe('golden responses', () => {
  for (const golden of readGoldenCases(join(import.meta.dirname, '../../golden/response'), 'expected.json')) {
    test(golden.name, () => {
      const { text, translator } = runTranslator(golden.context, golden.upstream, { output: 'message' });
      expect(text).toBe('');
      const { error, notes } = translator.outcome;
      const answer =
        error === undefined ? translator.message() : { status: error.status, type: error.type, message: error.message };
      const result = notes.length === 0 ? answer : { ...answer, notes };
      expectGolden(golden.expectedFile, `${JSON.stringify(result, null, 2)}\n`);
    });
  }
});

describe('the same bytes give the same message in both modes', () => {
  const folder = (kind: string) => join(import.meta.dirname, `../../golden/${kind}`);
  const streams = readGoldenCases(folder('stream'), 'expected.txt');
  const responses = readGoldenCases(folder('response'), 'expected.json');
  // Every case is read twice, as a context counts the ids that it gives.
  const again = [
    ...readGoldenCases(folder('stream'), 'expected.txt'),
    ...readGoldenCases(folder('response'), 'expected.json'),
  ];
  for (const [index, golden] of [...streams, ...responses].entries()) {
    test(golden.name, () => {
      const { ending } = golden;
      const events = runTranslator(golden.context, golden.upstream, { ending });
      const whole = runTranslator(again[index]?.context ?? createResponseContext(), golden.upstream, {
        output: 'message',
        ending,
      });
      expect(whole.translator.outcome.error).toEqual(events.translator.outcome.error);
      if (events.translator.outcome.error === undefined) {
        expect(foldEvents(events.text)).toEqual(whole.translator.message());
      } else {
        expect(() => whole.translator.message()).toThrow(events.translator.outcome.error.message);
      }
    });
  }
});
