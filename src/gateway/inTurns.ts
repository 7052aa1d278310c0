import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Carries out work that pauses, so that all others have their turn in the pauses; undefined when it was over at once, without any.
 */
export function inTurns(work: Generator<void>): Promise<void> | undefined {
  if (work.next().done === true) return undefined;
  const goOn = async () => {
    do await nextTurn();
    while (work.next().done !== true);
  };
  return goOn();
}
