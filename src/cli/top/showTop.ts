import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import { type InstanceSample, sampleInstances } from './sample.ts';
import { Screen } from './screen.ts';
import { topFrame, topJson, topTable } from './topView.ts';

const REFRESH_MS = 1000;

/** Shows how the instances fare: live on a terminal, once elsewhere. */
export async function showTop(context: Context, { names, once, json }: Invocation<'once' | 'json'>): Promise<ExitCode> {
  const { root, output, environment } = context;
  const instances = selectInstances(root, loadInstances(root), names);
  const canPaint = output.columns !== undefined && environment['TERM'] !== 'dumb';
  if (canPaint && !once && !json) {
    await watch(context, instances);
    return exitCodes.ok;
  }
  const now = Date.now();
  const rows = await sampleInstances(root, instances, now);
  if (json) output.print(topJson(rows, now));
  else if (rows.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  else output.print(topTable(rows, output).join('\n'));
  return exitCodes.ok;
}

async function watch({ root, output }: Context, instances: readonly Instance[]): Promise<void> {
  const screen = new Screen(process.stdin, process.stdout);
  let rows: InstanceSample[] | undefined;
  let now = Date.now();
  const paint = () => {
    if (rows !== undefined) screen.draw(topFrame(rows, now, output.paint, screen.size));
  };
  screen.open(paint);
  try {
    while (!screen.closed.aborted) {
      rows = await sampleInstances(root, instances, Date.now(), screen.closed);
      now = Date.now();
      if (screen.closed.aborted) break;
      paint();
      await pause(REFRESH_MS, undefined, { signal: screen.closed }).catch(() => undefined);
    }
  } finally {
    screen.close();
  }
}
