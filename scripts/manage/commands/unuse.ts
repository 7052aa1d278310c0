import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Invocation } from '../args.ts';
import { callerDirectory } from '../callerDirectory.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { describeDifference } from '../project/difference.ts';
import { parseSettings, projectFile, readProjectFile, writeProjectFile } from '../project/projectFile.ts';
import { type ProjectRecord, readRecord, removeRecord } from '../project/projectRecord.ts';
import { placesOf } from '../project/settingsText.ts';
import { takeBack } from '../project/takeBack.ts';

/** Puts the project's settings back to what they were before `use`; what others have changed since stays. */
export async function unuse({ root, output, environment }: Context, { dryRun }: Invocation): Promise<ExitCode> {
  const file = projectFile(callerDirectory(environment));
  const record = readRecord(root, file);
  if (record === undefined) {
    output.say(`"./manage use" has written nothing into ${file}`);
    return exitCodes.ok;
  }
  const present = readProjectFile(file);
  const text = takeBack(record, present);
  if (dryRun) {
    const places = placesOf(record.settings);
    const lines = describeDifference(parseSettings(file, present), parseSettings(file, text), places);
    output.print([file, ...lines].join('\n'));
    return exitCodes.ok;
  }
  if (text === undefined) removeFile(record);
  else if (text !== present) writeProjectFile(file, text);
  removeRecord(root, file);
  output.say(text === undefined ? `${file} is gone, as before` : `${file} is without ${record.instance} again`);
  return exitCodes.ok;
}

function removeFile({ file, madeFolder }: ProjectRecord): void {
  rmSync(file, { force: true });
  if (!madeFolder) return;
  try {
    rmdirSync(dirname(file));
  } catch {
    // Somebody has put something else there.
  }
}
