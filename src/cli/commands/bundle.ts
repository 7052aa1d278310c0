import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../core/json.ts';
import { createRedactor } from '../../core/secret.ts';
import type { Invocation } from '../args.ts';
import { hidePerson, mapTexts, reportText, secretsOf } from '../bugReport/redact.ts';
import { askDoctor, describeInstance, describeSystem } from '../bugReport/report.ts';
import { type Context, callerDirectory } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { inspect, listAll } from '../supervisor/inspect.ts';
import { selectInstances } from '../supervisor/instances.ts';

const SCHEMA = 1;

/** Writes what somebody needs who looks into a fault from afar: no key, no text of a conversation, no name of the user. */
export async function bundle(context: Context, { names, json }: Invocation): Promise<ExitCode> {
  const { root, output, environment } = context;
  const directory = callerDirectory(environment);
  const { rows, instances } = await listAll(context);
  const selected = selectInstances(root, instances, names);
  const observations = await inspect(rows, selected);
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
