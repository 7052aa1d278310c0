import type { DeltaRepair } from '../repairs.ts';
import type { QuirkSettings } from '../settings.ts';
import { createCumulativeReasoning } from './cumulativeReasoning.ts';

const keep: DeltaRepair = (delta) => [delta];

/**
 * The repairs of deltas that a provider's settings ask for, as one function per answer. What needs more than one delta
 * of one kind is not a repair but belongs to the state machine.
 */
export function composeDeltaRepair(settings: QuirkSettings): () => DeltaRepair {
  return settings.reasoningCumulative ? createCumulativeReasoning : () => keep;
}
