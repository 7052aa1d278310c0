import { join } from 'node:path';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { type Instance, loadInstances, selectInstances } from '../instances.ts';
import { readableLine, timeOfLine } from '../logLine.ts';
import { followLines, readTail } from '../logTail.ts';

interface LogLine {
  readonly name: string;
  readonly line: string;
}

function logFile(root: string, { name, config }: Instance): string {
  return join(config?.logs.directory ?? join(root, 'logs'), name, `${name}.log`);
}

/** Shows the last lines of the instances' logs in the order of time, and with --follow what comes. */
export async function logs({ root, output }: Context, { names, lines, follow }: Invocation): Promise<ExitCode> {
  const instances = selectInstances(root, loadInstances(root), names);
  const width = Math.max(...instances.map(({ name }) => name.length));
  const show = ({ name, line }: LogLine) => {
    const prefix = instances.length === 1 ? '' : `${output.paint('bold', name.padEnd(width))}  `;
    output.print(`${prefix}${readableLine(line)}`);
  };

  const logs = await Promise.all(
    instances.map(async (instance) => {
      const { name } = instance;
      const file = logFile(root, instance);
      const tail = await readTail(file, lines);
      return { name, file, end: tail.end, last: tail.lines.map((line): LogLine => ({ name, line })) };
    }),
  );
  const merged = logs.flatMap(({ last }) => last).sort((a, b) => compare(timeOfLine(a.line), timeOfLine(b.line)));
  for (const entry of merged.slice(Math.max(0, merged.length - lines))) show(entry);
  if (merged.length === 0 && lines > 0) output.say('Nothing is logged yet.');

  if (follow) {
    const { signal } = new AbortController(); // until Ctrl-C ends the process
    await Promise.all(
      logs.map(({ name, file, end }) => followLines(file, end, (line) => show({ name, line }), signal)),
    );
  }
  return exitCodes.ok;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
