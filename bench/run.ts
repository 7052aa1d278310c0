import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { builtInTargets } from './processes/builtInTargets.ts';
import { openStage } from './processes/openStage.ts';
import { watchOtherWork } from './processes/otherWork.ts';
import { readTargetsFile } from './processes/targetsFile.ts';
import { startUpstream } from './processes/upstreamProcess.ts';
import { regressions } from './report/goals.ts';
import { describeRun } from './report/machine.ts';
import { renderReport, replaceReport } from './report/page.ts';
import type { ScenarioResult } from './report/results.ts';
import { runScenario } from './runScenario.ts';
import { scenarioTable } from './scenarios/scenarioTable.ts';

const root = resolve(import.meta.dirname, '..');
const pagePath = join(root, 'docs/BENCHMARKS.md');

const report = (line: string) => process.stderr.write(`${line}\n`);

async function measureAll({ long, only, targets: targetsFile, binary }: Arguments): Promise<ScenarioResult[]> {
  const targets = [...builtInTargets(binary), ...(targetsFile === undefined ? [] : readTargetsFile(targetsFile))];
  const chosen = scenarioTable.filter(({ name }) => only.length === 0 || only.includes(name.split(' ', 1)[0] ?? ''));
  const folder = mkdtempSync(join(tmpdir(), 'claude-code-proxy-bench-'));
  const upstream = await startUpstream();
  const stage = openStage({ upstreamPort: upstream.port, folder, searchPath: process.env['PATH'] });
  try {
    const results: ScenarioResult[] = [];
    for (const scenario of chosen) {
      results.push(await runScenario(scenario, long ? scenario.long : scenario.quick, stage, targets, report));
    }
    return results;
  } finally {
    await stage.close();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(values: Arguments): Promise<void> {
  if (process.platform !== 'linux') throw new Error('it reads /proc, so it needs Linux');
  if (!existsSync(values.binary)) throw new Error(`${values.binary} is missing; run: npm run build`);
  const otherWork = watchOtherWork();
  const results = await measureAll(values);
  const facts = { mode: values.long ? 'long' : 'quick', date: new Date(), otherCores: otherWork() };
  const report = renderReport(describeRun(values.binary, facts), results);
  process.stdout.write(`${report}\n`);
  if (values.write) writeFileSync(pagePath, replaceReport(readFileSync(pagePath, 'utf8'), report));
  const slower = values.long ? regressions(results) : [];
  if (slower.length > 0) throw new Error(`much slower than it should be:\n${slower.join('\n')}`);
}

// The targets are ended when this process exits.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

try {
  const values = readArguments(process.argv.slice(2), root);
  if (values.help) process.stdout.write(USAGE);
  else await run(values);
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
