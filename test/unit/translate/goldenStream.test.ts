import { join } from 'node:path';
import { describe, test } from 'vitest';
import { checkEvents } from '../../helpers/eventGrammar.ts';
import { expectGolden, readGoldenCases } from '../../helpers/goldenCase.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

/** Upstream bytes -> the event text for Claude Code, byte by byte. */
describe('golden streams', () => {
  for (const golden of readGoldenCases(join(import.meta.dirname, '../../golden/stream'), 'expected.txt')) {
    test(golden.name, () => {
      const { text, translator } = runTranslator(golden.context, golden.upstream, { ending: golden.ending });
      checkEvents(text);
      const { error, started, notes } = translator.outcome;
      const unsaid =
        error !== undefined && !started ? `(answered ${error.status} ${error.type}: ${error.message})\n` : '';
      const log = notes.map((note) => `(note: ${note})\n`).join('');
      expectGolden(golden.expectedFile, text + unsaid + log);
    });
  }
});
