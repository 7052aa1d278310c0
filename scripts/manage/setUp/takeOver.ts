import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { loadInstance } from '../ensureUp.ts';
import { observe } from '../observe.ts';
import { reloadReason } from '../reloadReason.ts';
import { isUp, judge } from '../state.ts';
import { swap } from '../swap.ts';
import { withManagerLock } from '../withManagerLock.ts';

/** Waits until an instance that runs has the settings that were just written, and makes new processes where it has to. */
export async function takeOver(context: Context, invocation: Invocation, name: string): Promise<void> {
  const { instance } = loadInstance(context, name);
  const [now] = await observe(await context.pm2.list(), [instance]);
  if (now === undefined || now.rival !== undefined || !isUp(judge(now))) return;
  if ((await reloadReason(now, undefined)) === undefined) return;
  await withManagerLock(context, invocation, () => swap(context, now));
}
