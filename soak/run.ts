import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { watchOtherWork } from '../bench/processes/otherWork.ts';
import { describeRun } from '../bench/report/machine.ts';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { findProblems } from './report/assessment.ts';
import { drawPlot } from './report/plot.ts';
import type { Sample } from './report/sample.ts';
import { summarizeSoak } from './report/summary.ts';
import { runSoak } from './soak.ts';

const root = resolve(import.meta.dirname, '..');
const report = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);

function plotOf(samples: readonly Sample[]): string {
  const line = (title: string, colour: string, read: (sample: Sample) => number | undefined) => ({
    title,
    colour,
    points: samples.flatMap((sample) => {
      const y = read(sample);
      return y === undefined ? [] : [{ x: sample.at / 60, y }];
    }),
  });
  return drawPlot('The watched instance under the soak', [
    line('memory, MiB', '#1f6feb', ({ residentMib }) => residentMib),
    line('heap held, MiB', '#1a7f37', ({ heapMib }) => heapMib),
    line('descriptors', '#9a6700', ({ descriptors }) => descriptors),
  ]);
}

async function run(values: Arguments): Promise<void> {
  if (process.platform !== 'linux') throw new Error('it reads /proc, so it needs Linux');
  if (!existsSync(values.binary)) throw new Error(`${values.binary} is missing; run: npm run build`);
  const folder = mkdtempSync(join(tmpdir(), 'claude-code-proxy-soak-'));
  report(`${values.minutes} minutes, ${values.users} users, in ${folder}`);
  const date = new Date();
  const otherWork = watchOtherWork();
  const soak = await runSoak(values, { folder, searchPath: process.env['PATH'] }, report);
  const machine = describeRun(values.binary, { mode: 'soak', date, otherCores: otherWork() });
  const result = summarizeSoak(soak, { ...values, date: date.toISOString().slice(0, 10), machine });
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  if (values.write) {
    writeFileSync(join(root, 'docs/soak.json'), `${JSON.stringify(result, undefined, 2)}\n`);
    writeFileSync(join(root, 'docs/soak.svg'), plotOf(soak.samples));
  }
  const problems = [...findProblems(result), ...soak.tally.failures];
  if (problems.length > 0) throw new Error(`not as promised (logs are left in ${folder}):\n${problems.join('\n')}`);
  rmSync(folder, { recursive: true, force: true });
}

// The instances are ended when this process exits.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

try {
  const values = readArguments(process.argv.slice(2), root);
  if (values.help) process.stdout.write(USAGE);
  else await run(values);
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
