import type { JsonObject } from '../../../src/core/json.ts';
import type { Answer } from './answer.ts';
import type { FullCheck } from './fullCheck.ts';
import { type Row, row } from './row.ts';
import type { Subject } from './subject.ts';
import { skipped } from './verdict.ts';

/** Makes one check of `test --full`: its turns one after the other until one fails, then the verdict. */
export async function runFullCheck(
  { name, skip, turns, judge }: FullCheck,
  subject: Subject,
  ask: (fields: JsonObject) => Promise<Answer>,
): Promise<Row> {
  const reason = skip?.(subject);
  if (reason !== undefined) return row(name, skipped(reason));
  const answers: Answer[] = [];
  for (const turn of turns) {
    const fields = turn(answers, subject);
    if (fields === undefined || answers.at(-1)?.error !== undefined) break;
    answers.push(await ask(fields));
  }
  const [first, last] = [answers[0], answers.at(-1)];
  if (first === undefined || last === undefined) return row(name, skipped('there is nothing to ask'));
  const totalMs = answers.reduce((sum, answer) => sum + answer.totalMs, 0);
  return row(name, judge(first, last, subject), totalMs);
}
