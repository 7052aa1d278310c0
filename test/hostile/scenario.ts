import type { Behaviour } from '../helpers/fakeUpstream.ts';
import type { SearchBehaviour } from '../helpers/searchServer.ts';
import type { Answer, Question } from './client.ts';
import type { Stage } from './stage.ts';

/** One way of being hostile, and what must hold beyond what must hold always (hostile.test.ts). */
export interface Scenario {
  readonly name: string;
  /** What the provider does; an ordinary answer unless given. */
  readonly provider?: Behaviour;
  /** What the search API does; it finds one page unless given. */
  readonly search?: SearchBehaviour;
  /** Questions that are asked at the same time, or one after the other; one streamed question unless given. */
  readonly questions?: readonly Question[] | (() => readonly Question[]);
  readonly inTurn?: boolean;
  /** What the provider says goes on to the client as it is: whatever stands in an answer with status 200 is its own. */
  readonly passesOn?: boolean;
  /** In place of questions: whatever else happens to an instance. */
  readonly act?: (stage: Stage) => Promise<readonly Answer[]>;
  /** What must hold beside; it is awaited. */
  readonly holds?: (answers: readonly Answer[], stage: Stage) => unknown;
}
