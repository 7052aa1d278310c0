import type { Repairs } from '../quirks/compose.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

/** What a request is translated for: one model of one provider. */
export interface Target {
  /** Name of the preset, the tag of what must travel back to this provider (R135). */
  readonly provider: string;
  readonly model: string;
  readonly settings: QuirkSettings;
  /** MAX_TOKENS_LIMIT and MIN_TOKENS_LIMIT of the instance. */
  readonly maxTokensLimit?: number;
  readonly minTokensLimit?: number;
  readonly repairs: Repairs;
}
