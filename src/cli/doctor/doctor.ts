import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { terminalSafe, wrapText } from '../../core/text.ts';
import { type Context, callerDirectory } from '../command.ts';
import { inspect, type Listing, listAll } from '../supervisor/inspect.ts';
import { loadInstances, selectInstances } from '../supervisor/instances.ts';
import { type Colour, nameProgram, type Output } from '../terminal/output.ts';
import { checkAuthorities, checkClaudeSettings, checkClient, checkShell } from './clientChecks.ts';
import type { CheckContext, Finding } from './finding.ts';
import { checkEnvFiles, checkFacts, checkInstances, checkPm2, checkTools, findUnsupervised } from './instanceChecks.ts';
import { checkDisk, checkExecutable, checkFolders, checkLocks, checkRuntime } from './machineChecks.ts';
import { checkClock, checkProviders } from './onlineChecks.ts';

type Check = (context: CheckContext) => readonly Finding[] | Promise<readonly Finding[]>;

/** In the order of the report: what others rest on comes first. */
const checks: readonly Check[] = [
  checkRuntime,
  checkExecutable,
  checkFolders,
  checkLocks,
  checkDisk,
  checkEnvFiles,
  checkFacts,
  checkPm2,
  checkInstances,
  checkTools,
  findUnsupervised,
  checkShell,
  checkClient,
  checkAuthorities,
  checkClaudeSettings,
];

const onlineChecks: readonly Check[] = [checkProviders, checkClock];

/**
 * Checks this machine and the named instances; with `online` their providers, too. Changes nothing.
 * @throws Failure (usage) when a name is unknown.
 */
export async function runChecks(context: Context, names: readonly string[], online: boolean): Promise<Finding[]> {
  const checkContext = await gatherContext(context, names);
  const found = await Promise.all([...checks, ...(online ? onlineChecks : [])].map((check) => check(checkContext)));
  return found.flat();
}

async function gatherContext(context: Context, names: readonly string[]): Promise<CheckContext> {
  const { root, environment } = context;
  const { rows, instances } = await listAllIfPossible(context);
  const knownRows = rows instanceof Error ? [] : rows;
  return {
    root,
    environment,
    directory: callerDirectory(environment),
    all: instances,
    inspections: await inspect(knownRows, selectInstances(root, instances, names)),
    pm2: rows,
    now: Date.now(),
  };
}

/** Lists what there is, as the doctor is called when something is missing. */
async function listAllIfPossible(
  context: Context,
): Promise<Pick<Listing, 'instances'> & { readonly rows: CheckContext['pm2'] }> {
  const hasEnvs = existsSync(join(context.root, 'envs'));
  try {
    return hasEnvs ? await listAll(context) : { rows: await context.pm2.list(), instances: [] };
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

/** A line for each finding, with the remedy below; broken between words where the terminal is narrow. */
export function doctorText(
  all: readonly Finding[],
  { paint, columns, program }: Pick<Output, 'paint' | 'columns' | 'program'>,
): string {
  const findings = joinEqual(all);
  const width = Math.max(0, ...findings.map((finding) => labelOf(finding).length));
  return findings
    .flatMap((finding) => {
      const { result, detail, remedy } = finding;
      const line = `${result.padEnd(RESULT_WIDTH)}  ${labelOf(finding).padEnd(width)}  ${terminalSafe(detail)}`;
      const wrap = (text: string, indent: number) => wrapText(nameProgram(text, program), columns, indent);
      const [first = '', ...others] = wrap(line, RESULT_WIDTH + 2);
      const painted = paint(colours[result], first.slice(0, RESULT_WIDTH)) + first.slice(RESULT_WIDTH);
      const remedies = remedy === undefined ? [] : wrap(`      -> ${terminalSafe(remedy)}`, RESULT_WIDTH + 5);
      return [painted, ...others, ...remedies];
    })
    .join('\n');
}

/** What is found of several instances alike stands there once, with their names; one that no other shares stays as it is. */
function joinEqual(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(findings, (finding) => {
    const { check, instance, result, detail, remedy } = finding;
    return instance === undefined ? finding : JSON.stringify([check, result, detail, remedyForAll(remedy, instance)]);
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first?.instance === undefined || group.length === 1) return group;
    const { instance: _instance, remedy: _remedy, ...rest } = first;
    const names = group.flatMap(({ instance }) => instance ?? []).join(', ');
    const remedy = remedyForAll(first.remedy, first.instance);
    return [{ ...rest, detail: `${rest.detail} (${names})`, ...(remedy === undefined ? {} : { remedy }) }];
  });
}

function remedyForAll(remedy: string | undefined, instance: string): string | undefined {
  return remedy?.replaceAll(` ${instance} `, ' NAME ');
}

/** How many failures and warnings there are, in a line. */
export function summarize(findings: readonly Finding[]): string {
  const count = (result: Finding['result'], word: string) => {
    const number = findings.filter((finding) => finding.result === result).length;
    return `${number === 0 ? 'no' : number} ${word}${number === 1 ? '' : 's'}`;
  };
  const fixable = findings.filter(({ fix }) => fix !== undefined).length;
  const offer = fixable === 0 ? '' : `; ./manage doctor --fix repairs ${fixable} of them`;
  return `${count('fail', 'failure')}, ${count('warn', 'warning')}${offer}.`;
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function doctorJson(findings: readonly Finding[], repaired: readonly string[]): string {
  const shown = findings.map(({ check, instance, result, detail, remedy, fix }) => ({
    check,
    instance: instance ?? null,
    result,
    detail,
    remedy: remedy ?? null,
    fixable: fix !== undefined,
  }));
  return JSON.stringify({ schema: SCHEMA, ok: isWell(findings), findings: shown, mended: repaired }, undefined, 2);
}

/** Whether nothing fails; a warning is no failure. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ result }) => result !== 'fail');
}
