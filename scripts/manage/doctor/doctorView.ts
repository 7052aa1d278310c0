import { terminalSafe } from '../../../src/core/text.ts';
import type { Colour, Output } from '../output.ts';
import type { Finding } from './finding.ts';

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
