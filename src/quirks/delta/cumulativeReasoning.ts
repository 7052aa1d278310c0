import type { DeltaRepair } from '../repairs.ts';

/**
 * Takes the repeated beginning off reasoning that comes as snapshots, each with all that came before. A delta that does
 * not begin so is new text: the same provider has been seen to send both forms.
 */
export function createCumulativeReasoning(): DeltaRepair {
  let received = '';
  return (delta) => {
    if (delta.kind !== 'thinking') return [delta];
    const text = delta.text.startsWith(received) ? delta.text.slice(received.length) : delta.text;
    received += text;
    return text === '' ? [] : [{ kind: 'thinking', text }];
  };
}
