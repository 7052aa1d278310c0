import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/core/json.ts';
import { createRedactor } from '../../../src/core/secret.ts';
import type { Invocation } from '../args.ts';
import { callerDirectory } from '../callerDirectory.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { selectInstances } from '../instances.ts';
import { observe } from '../observe.ts';
import { askDoctor } from '../report/askDoctor.ts';
import { describeInstance } from '../report/describeInstance.ts';
import { describeSystem } from '../report/describeSystem.ts';
import { hidePerson } from '../report/hidePerson.ts';
import { mapTexts } from '../report/mapTexts.ts';
import { reportText } from '../report/reportText.ts';
import { secretsOf } from '../report/secretsOf.ts';
import { takeStock } from '../stock.ts';

const SCHEMA = 1;

/** Writes what somebody needs who looks into a fault from afar: no key, no text of a conversation, no name of the user. */
export async function bundle(context: Context, { names, json }: Invocation): Promise<ExitCode> {
  const { root, output, environment } = context;
  const directory = callerDirectory(environment);
  const { rows, instances } = await takeStock(context);
  const selected = selectInstances(root, instances, names);
  const observations = await observe(rows, selected);
  const [system, doctor, ...described] = await Promise.all([
    describeSystem(root, environment, directory),
    askDoctor(context, names),
    ...observations.map((observation) => describeInstance(root, observation)),
  ]);
  const written = new Date();
  const whole: JsonObject = {
    schema: SCHEMA,
    written_at: written.toISOString(),
    system,
    instances: described,
    doctor,
  };
  const redact = createRedactor(instances.flatMap(secretsOf));
  const report = mapTexts(whole, (text) => hidePerson(redact(text)));
  if (json) {
    output.print(JSON.stringify(report, undefined, 2));
    return exitCodes.ok;
  }
  const moment = written.toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '-');
  const file = join(directory, `claude-code-proxy-report-${moment}.txt`);
  writeFileSync(file, reportText(report), { mode: 0o600, flag: 'wx' });
  output.print(file);
  output.say('Look through it before you send it; keys, names and what was said are left out.');
  return exitCodes.ok;
}
