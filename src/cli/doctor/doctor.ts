import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { terminalSafe } from '../../core/text.ts';
import { type Context, callerDirectory } from '../context.ts';
import { loadInstances, selectInstances } from '../supervisor/instances.ts';
import { observe, type Stock, takeStock } from '../supervisor/observe.ts';
import type { Colour, Output } from '../terminal/output.ts';
import type { Finding, Subject } from './finding.ts';
import { checkEnvFiles, checkInstances, checkPm2, findStrays } from './instances.ts';
import {
  checkClaudeSettings,
  checkDisk,
  checkExecutable,
  checkFolders,
  checkLocks,
  checkRuntime,
  checkShell,
} from './machine.ts';
import { checkClock, checkProvider } from './online.ts';

type Check = (subject: Subject) => readonly Finding[] | Promise<readonly Finding[]>;

/** In the order in which they are told: what others rest on comes first. */
const checks: readonly Check[] = [
  checkRuntime,
  checkExecutable,
  checkFolders,
  checkLocks,
  checkDisk,
  checkEnvFiles,
  checkPm2,
  checkInstances,
  findStrays,
  checkShell,
  checkClaudeSettings,
];

const onlineChecks: readonly Check[] = [
  async ({ observations }) => (await Promise.all(observations.map(checkProvider))).flat(),
  ({ observations }) => checkClock(observations.flatMap(({ instance: { config } }) => config ?? [])),
];

/**
 * Looks at this machine and the named instances; with `online` at their providers, too. Changes nothing.
 * @throws Failure (usage) when a name is unknown.
 */
export async function examine(context: Context, names: readonly string[], online: boolean): Promise<Finding[]> {
  const subject = await describeSubject(context, names);
  const found = await Promise.all([...checks, ...(online ? onlineChecks : [])].map((check) => check(subject)));
  return found.flat();
}

async function describeSubject(context: Context, names: readonly string[]): Promise<Subject> {
  const { root, environment } = context;
  const { rows, instances } = await takeStockIfPossible(context);
  const known = rows instanceof Error ? [] : rows;
  return {
    root,
    environment,
    directory: callerDirectory(environment),
    all: instances,
    observations: await observe(known, selectInstances(root, instances, names)),
    pm2: rows,
    now: Date.now(),
  };
}

/** Stock is taken of what there is, as the doctor is called when something is missing. */
async function takeStockIfPossible(context: Context): Promise<Pick<Stock, 'instances'> & { rows: Subject['pm2'] }> {
  const hasEnvs = existsSync(join(context.root, 'envs'));
  try {
    return hasEnvs ? await takeStock(context) : { rows: await context.pm2.list(), instances: [] };
  } catch (error) {
    const rows = error instanceof Error ? error : new Error(String(error));
    return { rows, instances: hasEnvs ? loadInstances(context.root) : [] };
  }
}

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
const RESULT_WIDTH = 4;

const colours: Readonly<Record<Finding['result'], Colour>> = { ok: 'green', warn: 'yellow', fail: 'red' };

function labelOf({ check, instance }: Finding): string {
  return instance === undefined ? check : `${check} ${instance}`;
}

/** A line for each finding, and how to mend it below. */
export function doctorText(findings: readonly Finding[], paint: Output['paint']): string {
  const width = Math.max(0, ...findings.map((finding) => labelOf(finding).length));
  return findings
    .flatMap((finding) => {
      const { result, detail, remedy } = finding;
      const label = labelOf(finding).padEnd(width);
      const line = `${paint(colours[result], result.padEnd(RESULT_WIDTH))}  ${label}  ${terminalSafe(detail)}`;
      return remedy === undefined ? [line] : [line, `      -> ${terminalSafe(remedy)}`];
    })
    .join('\n');
}

/** What it comes to, in a line. */
export function summarize(findings: readonly Finding[]): string {
  const count = (result: Finding['result'], word: string) => {
    const number = findings.filter((finding) => finding.result === result).length;
    return `${number === 0 ? 'no' : number} ${word}${number === 1 ? '' : 's'}`;
  };
  const fixable = findings.filter(({ fix }) => fix !== undefined).length;
  const offer = fixable === 0 ? '' : `; ./manage doctor --fix mends ${fixable} of them`;
  return `${count('fail', 'failure')}, ${count('warn', 'warning')}${offer}.`;
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function doctorJson(findings: readonly Finding[], mended: readonly string[]): string {
  const shown = findings.map(({ check, instance, result, detail, remedy, fix }) => ({
    check,
    instance: instance ?? null,
    result,
    detail,
    remedy: remedy ?? null,
    fixable: fix !== undefined,
  }));
  return JSON.stringify({ schema: SCHEMA, ok: isWell(findings), findings: shown, mended }, undefined, 2);
}

/** Whether nothing fails; a warning is no failure. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ result }) => result !== 'fail');
}
