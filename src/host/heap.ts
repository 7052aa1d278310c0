import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** From so many open requests on, what their answers hold is most of the heap. */
const MANY_REQUESTS = 200;

/** By how many per cent of what is in use the heap then grows before V8 collects garbage. */
const GROWTH_PERCENT = 50;
/** V8 decides, which is up to fourfold. */
const DEFAULT_GROWTH_PERCENT = 0;

const CHECK_INTERVAL_MS = 250;

/**
 * Keeps the heap close to what is in use while there are many open requests: 2,000 streams took 468 MiB and take 270, for 7 % more
 * processor time. Few large requests leave most of what they need behind at once, and would cost 40 % more so (all measured), so that
 * V8 decides by itself otherwise. It looks at the setting each time that it plans its next collection.
 */
export function tuneHeapGrowth(openRequests: () => number, setFlag: (flag: string) => void = setFlagsFromString): void {
  let percent = DEFAULT_GROWTH_PERCENT;
  setInterval(() => {
    const next = openRequests() < MANY_REQUESTS ? DEFAULT_GROWTH_PERCENT : GROWTH_PERCENT;
    if (next === percent) return;
    percent = next;
    setFlag(`--heap-growing-percent=${percent}`);
  }, CHECK_INTERVAL_MS).unref();
}

/** The only way to V8's collector without an option of the start. Everything stands still meanwhile: some 15 ms at rest. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const IDLE_CHECK_MS = 2000;

/** So much more than the last collection has left is worth one: less comes and goes with every conversation. */
const WORTH_COLLECTING_BYTES = 64 * 1024 * 1024;

/** What is in use in V8's heap and beside it, garbage included, in bytes. */
function readUsage(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/**
 * Gives memory back to the system while nothing is under way: V8 collects garbage when it allocates, so that an idle instance would
 * keep what its last large requests and answers have left, some hundred MiB, for hours.
 */
export function collectWhenIdle(openRequests: () => number, usage = readUsage, collect = collectGarbage): void {
  let left = usage();
  setInterval(() => {
    if (openRequests() > 0) return;
    const used = usage();
    left = Math.min(left, used);
    if (used - left < WORTH_COLLECTING_BYTES) return;
    collect();
    left = usage();
  }, IDLE_CHECK_MS).unref();
}
