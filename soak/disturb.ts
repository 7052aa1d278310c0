import { setTimeout as sleep } from 'node:timers/promises';
import type { SoakInstance } from './processes/soakInstance.ts';

const EDIT_EVERY_MS = 15_000;
/** Every so many edits one is broken. */
const BROKEN_EVERY = 5;
const RELOAD_EVERY_MS = 180_000;
/** Connections that met the closing listener break a little later. */
const SETTLE_MS = 3000;
const SEEN_WITHIN_MS = 10_000;

async function whenSeen(instance: SoakInstance, isSeen: (health: Record<string, unknown>) => boolean): Promise<void> {
  const deadline = performance.now() + SEEN_WITHIN_MS;
  while (!isSeen(await instance.health())) {
    if (performance.now() > deadline) throw new Error('an edit of the env file was not seen within 10 s');
    await sleep(100);
  }
}

const pause = (ms: number, over: AbortSignal) => sleep(ms, undefined, { signal: over }).catch(() => {});

/** Edits the env file again and again, now and then wrongly, and makes sure that the instance notices. */
export async function editOften(instance: SoakInstance, over: AbortSignal): Promise<{ valid: number; broken: number }> {
  let valid = 0;
  let broken = 0;
  for (let edit = 1; ; edit += 1) {
    await pause(EDIT_EVERY_MS, over);
    if (over.aborted) return { valid, broken };
    if (edit % BROKEN_EVERY === 0) {
      instance.edit({ MAX_RETRIES: 'many' });
      await whenSeen(instance, ({ config_problems }) => JSON.stringify(config_problems).includes('MAX_RETRIES'));
      broken += 1;
    } else {
      const model = `bench-${edit}`;
      instance.edit({ BIG_MODEL: model, OPENAI_API_KEY: `sk-soak-${edit}-0123456789abcdef` });
      await whenSeen(instance, ({ models }) => JSON.stringify(models).includes(`"${model}"`));
      valid += 1;
    }
  }
}

export interface Reloads {
  /** Resolves with how many there were. */
  readonly over: Promise<number>;
  /** Whether one process just takes over from another, so that a new connection may be reset. */
  readonly isMoving: () => boolean;
}

/** Puts a new process in the place of the instance every few minutes; the old one drains, so that no answer breaks. */
export function reloadOften(instance: SoakInstance, over: AbortSignal): Reloads {
  let moving = false;
  const run = async () => {
    for (let reloads = 0; ; reloads += 1) {
      await pause(RELOAD_EVERY_MS, over);
      if (over.aborted) return reloads;
      moving = true;
      await instance.reload();
      await sleep(SETTLE_MS);
      moving = false;
    }
  };
  return { over: run(), isMoving: () => moving };
}
