import { addedTime } from './addedTime.ts';
import { agentTurns } from './agentTurns.ts';
import { describedPictures } from './describedPictures.ts';
import { fastStreams } from './fastStreams.ts';
import { failover, keyFlood } from './faults.ts';
import { growth } from './growth.ts';
import { largeRequests } from './largeRequests.ts';
import { manyStreams } from './manyStreams.ts';
import { scale } from './scale.ts';
import type { Scenario } from './scenario.ts';
import { smallAnswers } from './smallAnswers.ts';
import { stalls } from './stall.ts';
import { idleMemory, start } from './start.ts';
import { tokenCounts } from './tokenCounts.ts';

/** All scenarios in the order in which they run. */
export const scenarioTable: readonly Scenario[] = [
  start,
  idleMemory,
  smallAnswers,
  fastStreams,
  ...largeRequests,
  tokenCounts,
  manyStreams,
  ...stalls,
  growth,
  describedPictures,
  ...addedTime,
  ...agentTurns,
  keyFlood,
  failover,
  ...scale,
];
