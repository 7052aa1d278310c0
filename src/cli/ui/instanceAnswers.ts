import { dirname, join, relative } from 'node:path';
import { clientAddress } from '../../config/config.ts';
import { describeConfig } from '../../config/describe.ts';
import { terminalSafe } from '../../core/text.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import type { Context } from '../command.ts';
import { findingFields, runChecks } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { conditionTable } from '../supervisor/condition.ts';
import { inspect, listAll } from '../supervisor/inspect.ts';
import { describeIgnoredEnvFiles, envFile, type Instance, isSound, loadInstances } from '../supervisor/instances.ts';
import type { Colour } from '../terminal/output.ts';
import { describeSample, readMinutes, readRecentUsage, sumSamples } from '../top/sample.ts';
import { sampleFields } from '../top/topView.ts';
import { describeKey } from '../views/listView.ts';
import { describeEntry, entryFields, type StatusEntry } from '../views/statusEntry.ts';
import { entryHints, stateText, useCommands } from '../views/statusView.ts';
import type { ActionCommand, InstanceNow, NowAnswer, SetupAnswer, SetupInstance, Severity } from './contract.ts';
import type { Problem } from './records.ts';

const MINUTES_SHOWN = 60;
/** How old what the doctor found may be, in ms. */
const FINDINGS_AGE_MS = 60_000;

/** What the colour of a condition means. */
const SEVERITIES: Partial<Record<Colour, Severity>> = { green: 'good', gray: 'idle', yellow: 'warning', red: 'bad' };

function severityOf({ report }: StatusEntry): Severity {
  return SEVERITIES[conditionTable[report.condition].colour] ?? 'warning';
}

/** What is wrong with an instance, as `status` shows it below its table. */
function problemsOf(entry: StatusEntry): Problem[] {
  const { instance } = entry.inspection;
  const severity = severityOf(entry) === 'bad' ? 'bad' : 'warning';
  const diagnosis = entry.state === 'port taken' ? [] : [entry.diagnosis ?? []].flat();
  const hints = [...entryHints(entry), ...diagnosis].map(({ problem, remedy }) => ({
    problem,
    remedy: remedy ?? null,
  }));
  const files = instance.problems.map(({ file, line, key, found, fix }) => ({
    problem: `${file}${line === undefined ? '' : `:${line}`} ${key}: ${found}`,
    remedy: fix,
  }));
  return [...hints, ...files].map(({ problem, remedy }) => ({
    instance: instance.name,
    severity,
    problem: terminalSafe(problem),
    remedy: remedy === null ? null : terminalSafe(remedy),
  }));
}

/** What the doctor has found, where it is more than what an instance reports of itself. */
function problemOfFinding({ instance, result, detail, remedy }: Finding): Problem {
  return {
    instance: instance ?? null,
    severity: result === 'fail' ? 'bad' : 'warning',
    problem: terminalSafe(detail),
    remedy: remedy === undefined ? null : terminalSafe(remedy),
  };
}

/** Answers about the instances as they are, and as their files describe them. */
export class InstanceAnswers {
  readonly #context: Context;
  readonly #version: string;
  readonly #actionOf: (instance: string) => ActionCommand | undefined;
  #findings: readonly Finding[] = [];
  #foundAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  /** @param actionOf the command that runs for an instance */
  constructor(context: Context, version: string, actionOf: (instance: string) => ActionCommand | undefined) {
    this.#context = context;
    this.#version = version;
    this.#actionOf = actionOf;
  }

  /** All instances, their processes and what they have done of late; each is asked once. */
  async now(): Promise<NowAnswer> {
    const { root } = this.#context;
    const now = Date.now();
    const { rows, instances } = await listAll(this.#context);
    const entries = await Promise.all((await inspect(rows, instances)).map(describeEntry));
    const samples = entries.map((entry) => {
      const { inspection, health, report } = entry;
      const recent = orUndefined(() => readRecentUsage(this.#usageFile(inspection.instance), now));
      return describeSample({ inspection, health, condition: report.condition, recent });
    });
    const troubled = new Set(entries.filter((entry) => problemsOf(entry).length > 0).map(nameOf));
    const found = this.#findings.filter(
      ({ result, instance }) => result !== 'ok' && (instance === undefined || !troubled.has(instance)),
    );
    // When this answer has gone, as nobody should wait for both.
    setImmediate(() => this.#lookAgain());
    return {
      at: new Date(now).toISOString(),
      version: this.#version,
      instances: entries.map((entry, index): InstanceNow => {
        const { name } = entry.inspection.instance;
        const sample = samples[index];
        const minutes = orUndefined(() => readMinutes(this.#usageFile(entry.inspection.instance), now, MINUTES_SHOWN));
        return {
          name,
          severity: severityOf(entry),
          words: stateText(entry),
          meaning: conditionTable[entry.report.condition].meaning,
          status: { ...entryFields(entry), env_file: relative(root, envFile(entry.inspection.instance)) },
          figures: sampleFields(sample ?? sumSamples([])),
          minutes: (minutes ?? []).map(({ at, requests, failed, output }) => ({
            at: new Date(at).toISOString(),
            requests,
            failed_requests: failed,
            output_tokens: output,
          })),
          action: this.#actionOf(name) ?? null,
        };
      }),
      total: sampleFields(sumSamples(samples)),
      problems: [...entries.flatMap(problemsOf), ...found.map(problemOfFinding)],
    };
  }

  /** The instances as their files describe them, how Claude Code uses them, and what the doctor says. */
  async setup(): Promise<SetupAnswer> {
    const { root } = this.#context;
    const instances = loadInstances(root);
    await this.#look();
    return {
      instances: instances.map((instance) => describeSetup(root, instance)),
      findings: this.#findings.map((finding) => {
        const fields = findingFields(finding);
        const remedy = fields.remedy === null ? null : terminalSafe(fields.remedy);
        return { ...fields, detail: terminalSafe(fields.detail), remedy };
      }),
      found_at: new Date(this.#foundAt).toISOString(),
      ignored: describeIgnoredEnvFiles(root, instances).map(terminalSafe),
    };
  }

  #usageFile({ name, config }: Instance): string {
    return usageFilePath(config?.stateDirectory ?? join(this.#context.root, 'state'), name);
  }

  /** Lets the doctor look again when what it found is old; nobody waits for it. */
  #lookAgain(): void {
    if (this.#isLooking || Date.now() - this.#foundAt < FINDINGS_AGE_MS) return;
    this.#look().catch(() => undefined); // the setup view says why
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      this.#findings = await runChecks(this.#context, [], false);
      this.#foundAt = Date.now();
    } finally {
      this.#isLooking = false;
    }
  }
}

function nameOf({ inspection }: StatusEntry): string {
  return inspection.instance.name;
}

/** Undefined where the file cannot be read: the usage view says why. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function describeSetup(root: string, instance: Instance): SetupInstance {
  const { name, config, problems } = instance;
  const { run, byHand, note } = useCommands(instance);
  return {
    name,
    env_file: relative(root, envFile(instance)),
    provider: config?.provider.preset.name ?? null,
    provider_title: config?.provider.preset.title ?? null,
    address: config === undefined ? null : clientAddress(config),
    models: config === undefined ? null : { ...config.tiers },
    key: config === undefined ? null : terminalSafe(describeKey(config.provider.key)),
    sound: isSound(instance),
    settings: config === undefined ? [] : describeConfig(config).map(terminalSafe),
    problems: problems.map(({ file, line, key, found, fix, severity }) => ({
      file: terminalSafe(file),
      line: line ?? null,
      key: terminalSafe(key),
      found: terminalSafe(found),
      fix: terminalSafe(fix),
      severity,
    })),
    use: {
      run,
      by_hand: byHand,
      note: note ?? null,
      in_project: `${join(dirname(dirname(envFile(instance))), 'manage')} use ${name}`,
    },
  };
}
