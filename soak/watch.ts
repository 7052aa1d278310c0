import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorCount, residentMib } from './processes/processFacts.ts';
import type { SoakInstance } from './processes/soakInstance.ts';
import type { Sample } from './report/sample.ts';

const EVERY_MS = 5000;
/** Every so many samples the memory that is held on to is measured, too. */
const HEAP_EVERY = 12;
const MIB = 1024 * 1024;

/** Looks at the instance until it is over. */
export async function watch(instance: SoakInstance, over: AbortSignal): Promise<Sample[]> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  for (let round = 0; !over.aborted; round += 1) {
    const { pid } = instance;
    const seen = {
      at: (performance.now() - startedAt) / 1000,
      residentMib: residentMib(pid),
      descriptors: descriptorCount(pid),
    };
    const heap = round % HEAP_EVERY === 0 ? { heapMib: (await instance.facts()).heapBytes / MIB } : {};
    samples.push({ ...seen, ...heap });
    await sleep(EVERY_MS, undefined, { signal: over }).catch(() => {});
  }
  return samples;
}
