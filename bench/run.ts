import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { buildCheckout, buildCommit } from './processes/buildCommit.ts';
import { builtInTargets, PROXY } from './processes/builtInTargets.ts';
import { openStage } from './processes/openStage.ts';
import { watchOtherWork } from './processes/otherWork.ts';
import type { Target } from './processes/target.ts';
import { readTargetsFile } from './processes/targetsFile.ts';
import { startUpstream } from './processes/upstreamProcess.ts';
import { comparisonTable } from './report/comparison.ts';
import { regressions } from './report/goals.ts';
import { describeRun } from './report/machine.ts';
import { renderReport, replaceReport } from './report/page.ts';
import type { ScenarioResult } from './report/results.ts';
import { runScenario } from './runScenario.ts';
import { scenarioTable } from './scenarios/scenarioTable.ts';

const root = resolve(import.meta.dirname, '..');
const pagePath = join(root, 'docs/BENCHMARKS.md');

/** What is compared with the commit. */
const CHECKOUT = 'checkout';

const report = (line: string) => process.stderr.write(`${line}\n`);

async function measureAll(
  { long, only, rounds }: Arguments,
  targets: readonly Target[],
  folder: string,
): Promise<ScenarioResult[]> {
  const chosen = scenarioTable.filter(({ name }) => only.length === 0 || only.includes(name.split(' ', 1)[0] ?? ''));
  const upstream = await startUpstream();
  const stage = openStage({ upstreamPort: upstream.port, folder, searchPath: process.env['PATH'] });
  try {
    const results: ScenarioResult[] = [];
    for (const scenario of chosen) {
      const own = long ? scenario.long : scenario.quick;
      const effort = { ...own, rounds: rounds ?? own.rounds };
      results.push(await runScenario(scenario, effort, stage, targets, report));
    }
    return results;
  } finally {
    await stage.close();
    await upstream.stop();
  }
}

const others = ({ targets }: Arguments) => (targets === undefined ? [] : readTargetsFile(targets));

/** All targets beside the floor. */
async function measure(values: Arguments, folder: string): Promise<void> {
  const binary = values.binary ?? join(root, 'dist/claude-code-proxy');
  if (!existsSync(binary)) throw new Error(`${binary} is missing; run: npm run build`);
  const otherWork = watchOtherWork();
  const results = await measureAll(values, [...builtInTargets(binary), ...others(values)], folder);
  const facts = { mode: values.long ? 'long' : 'quick', date: new Date(), otherCores: otherWork() };
  const text = renderReport(describeRun(binary, facts), results);
  process.stdout.write(`${text}\n`);
  if (values.write) writeFileSync(pagePath, replaceReport(readFileSync(pagePath, 'utf8'), text));
  const slower = values.long ? regressions(results) : [];
  if (slower.length > 0) throw new Error(`much slower than it should be:\n${slower.join('\n')}`);
}

/** Two builds in turn, for the ratios of their figures. */
async function compare(values: Arguments, reference: string, folder: string): Promise<void> {
  report(`building ${reference}`);
  const before = buildCommit(root, reference, join(folder, 'clone'));
  if (values.binary === undefined) report('building the checkout');
  const after = values.binary ?? buildCheckout(root);
  const builds = [
    { name: reference, binary: before },
    { name: CHECKOUT, binary: after },
  ].flatMap(({ name, binary }) =>
    builtInTargets(binary)
      .filter((target) => target.name === PROXY)
      .map((target) => ({ ...target, name })),
  );
  const results = await measureAll(values, [...builds, ...others(values)], folder);
  process.stdout.write(`${comparisonTable(results, reference, CHECKOUT)}\n`);
}

async function run(values: Arguments): Promise<void> {
  if (process.platform !== 'linux') throw new Error('it reads /proc, so it needs Linux');
  const folder = mkdtempSync(join(tmpdir(), 'claude-code-proxy-bench-'));
  try {
    if (values.compare === undefined) await measure(values, folder);
    else await compare(values, values.compare, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The targets are ended when this process exits.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

try {
  const values = readArguments(process.argv.slice(2));
  if (values.help) process.stdout.write(USAGE);
  else await run(values);
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
