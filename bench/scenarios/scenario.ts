import type { Subject } from '../processes/subject.ts';
import type { Target } from '../processes/target.ts';

/** One figure of a scenario, as it stands in the table. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  /** The figure that is compared with the floor and shown with its spread. */
  readonly compared?: true;
}

/** Figures of one round by the keys of the metrics; what a target does not have is left out. */
export type Sample = Readonly<Record<string, number | undefined>>;

/** How long to measure: so many rounds of so many seconds (where a scenario has no length of its own). */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
}

/** Gives a scenario its processes. */
export interface Stage {
  /** The target's one process for all scenarios that need no fresh one. */
  shared(target: Target): Promise<Subject>;
  /** A fresh process, which the scenario stops. */
  start(target: Target): Promise<Subject>;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly metrics: readonly Metric[];
  readonly quick: Effort;
  readonly long: Effort;
  /** Seconds that each target runs before its first round, so that its code is compiled; absent: it is measured as it comes. */
  readonly warmUpSeconds?: number;
  /** Only what is a process of its own can be measured. */
  readonly needsProcess?: true;
  /** One round; throws for a wrong answer. */
  measure(stage: Stage, target: Target, seconds: number): Promise<Sample>;
}
