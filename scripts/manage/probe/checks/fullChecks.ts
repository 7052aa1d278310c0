import type { FullCheck } from '../fullCheck.ts';
import { cachedTokens } from './cachedTokens.ts';
import { image } from './image.ts';
import { overflow } from './overflow.ts';
import { parallelCalls } from './parallelCalls.ts';
import { reasoning } from './reasoning.ts';
import { stopSequence } from './stopSequence.ts';
import { structuredOutput } from './structuredOutput.ts';
import { toolCall } from './toolCall.ts';

/** What `test --full` adds, in the order in which it is made and shown. */
export const fullChecks: readonly FullCheck[] = [
  toolCall,
  parallelCalls,
  image,
  reasoning,
  cachedTokens,
  stopSequence,
  structuredOutput,
  overflow,
];
