import { askFor, type FullCheck } from '../fullCheck.ts';
import { fail, failOf, ok, quirk, said, warn } from '../verdict.ts';

const MATCHED_HERE = [quirk('stopMax', '0'), quirk('localStop', 'true')];

/** The answer ends before a stop sequence. */
export const stopSequence: FullCheck = {
  name: 'stop sequence',
  turns: [
    () => askFor('Repeat these words and nothing else: alpha bravo charlie delta', { stop_sequences: ['charlie'] }),
  ],
  judge: (answer) => {
    const { error, text, stopReason } = answer;
    if (error !== undefined) return /\bstop/i.test(error.message) ? failOf(error, ...MATCHED_HERE) : failOf(error);
    if (/charlie|delta/i.test(text)) return fail('the answer went on', ...MATCHED_HERE);
    if (!/bravo/i.test(text)) return warn(`not known: ${said(answer)}`);
    return ok(stopReason === 'stop_sequence' ? 'stopped there' : 'stopped there; the provider does not say why');
  },
};
