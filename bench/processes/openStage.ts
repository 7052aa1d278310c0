import type { Stage } from '../scenarios/scenario.ts';
import { type Subject, type Surroundings, startSubject } from './subject.ts';
import type { Target } from './target.ts';

export interface OpenStage extends Stage {
  /** Ends what is still running. */
  close(): Promise<void>;
}

/** Starts targets in the given surroundings and knows what is running. */
export function openStage(surroundings: Surroundings): OpenStage {
  const started = new Set<Subject>();
  const sharedByTarget = new Map<Target, Promise<Subject>>();
  const start = async (target: Target): Promise<Subject> => {
    const subject = await startSubject(target, surroundings);
    started.add(subject);
    return subject;
  };
  return {
    start,
    shared: (target) => {
      const subject = sharedByTarget.get(target) ?? start(target);
      sharedByTarget.set(target, subject);
      return subject;
    },
    close: async () => {
      await Promise.all([...started].map((subject) => subject.stop()));
    },
  };
}
