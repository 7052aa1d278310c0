import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from './processes/instance.ts';

const EDIT_EVERY_MS = 15_000;
/** Every so many edits one is broken. */
const BROKEN_EVERY = 5;
const RESTART_EVERY_MS = 180_000;
/** Connections that met the closing listener break a little later. */
const SETTLE_MS = 3000;
const SEEN_WITHIN_MS = 10_000;

async function whenSeen(instance: Instance, isSeen: (health: Record<string, unknown>) => boolean): Promise<void> {
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while (!isSeen(await instance.health())) {
    if (performance.now() > deadline) throw new Error('an edit of the env file was not seen within 10 s');
    await sleep(100);
  }
}

const pause = (ms: number, over: AbortSignal) => sleep(ms, undefined, { signal: over }).catch(() => {});

/** Edits the env file again and again, now and then wrongly, and makes sure that the instance notices. */
export async function editOften(instance: Instance, over: AbortSignal): Promise<{ reloads: number; broken: number }> {
  let reloads = 0;
  let broken = 0;
  for (let edit = 1; ; edit += 1) {
    await pause(EDIT_EVERY_MS, over);
    if (over.aborted) return { reloads, broken };
    if (edit % BROKEN_EVERY === 0) {
      instance.edit({ MAX_RETRIES: 'many' });
      await whenSeen(instance, ({ config_problems }) => JSON.stringify(config_problems).includes('MAX_RETRIES'));
      broken += 1;
    } else {
      const model = `bench-${edit}`;
      instance.edit({ BIG_MODEL: model, OPENAI_API_KEY: `sk-soak-${edit}-0123456789abcdef` });
      await whenSeen(instance, ({ models }) => JSON.stringify(models).includes(`"${model}"`));
      reloads += 1;
    }
  }
}

export interface Restarts {
  readonly over: Promise<number>;
  /** Whether nobody may listen just now. */
  readonly isMoving: () => boolean;
}

/** Stops and starts the instance every few minutes; it drains, so that no answer breaks. Resolves with how often. */
export function restartOften(instance: Instance, over: AbortSignal): Restarts {
  let moving = false;
  const run = async () => {
    for (let restarts = 0; ; restarts += 1) {
      await pause(RESTART_EVERY_MS, over);
      if (over.aborted) return restarts;
      moving = true;
      await instance.stop();
      await instance.start();
      await sleep(SETTLE_MS);
      moving = false;
    }
  };
  return { over: run(), isMoving: () => moving };
}
