import type { QuirkSettings } from '../../../src/quirks/settings.ts';

/** What is tested, as far as the checks ask for it. */
export interface Subject {
  readonly settings: QuirkSettings;
  /** Largest request that the instance takes. */
  readonly maxBodyBytes: number;
  /** A server that usually stands on the user's own machine. */
  readonly isLocal: boolean;
}
