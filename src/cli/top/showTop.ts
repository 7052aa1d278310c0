import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { loadInstances, selectInstances } from '../supervisor/instances.ts';
import { sampleInstances } from './sample.ts';
import { showLive } from './screen.ts';
import { nextOrder, type SortOrder, topFrame, topJson, topTable } from './topView.ts';

const REFRESH_MS = 1000;

/** Shows how the instances fare: live on a terminal, once elsewhere. */
export async function showTop(context: Context, { names, once, json }: Invocation<'once' | 'json'>): Promise<ExitCode> {
  const { root, output, environment, pm2 } = context;
  const instances = selectInstances(root, loadInstances(root), names);
  const canPaint = output.columns !== undefined && environment['TERM'] !== 'dumb';
  const sample = async (signal?: AbortSignal) =>
    sampleInstances(root, instances, Date.now(), await pm2.list().catch(() => []), signal);
  if (canPaint && !once && !json) {
    let order: SortOrder = 'name';
    const view = async (signal: AbortSignal) => {
      const rows = await sample(signal);
      const now = Date.now();
      return (size: { columns: number; rows: number }) => topFrame(rows, now, output.paint, size, order);
    };
    await showLive(REFRESH_MS, view, (key) => {
      if (key === 's') order = nextOrder(order);
    });
    return exitCodes.ok;
  }
  const now = Date.now();
  const rows = await sample();
  if (json) output.print(topJson(rows, now));
  else if (rows.length === 0) output.say('There are no env files yet; ./manage init makes one.');
  else output.print(topTable(rows, output).join('\n'));
  return exitCodes.ok;
}
