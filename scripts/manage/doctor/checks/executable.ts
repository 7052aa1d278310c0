import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { formatDuration } from '../../../../src/core/text.ts';
import { type BuildStamp, executablePath, hashSources, PLATFORM, readStamp } from '../../../build/stamp.ts';
import { isOlderThan } from '../../reloadReason.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'executable';
const BUILD = { remedy: 'npm run build' };

/** Whether the executable is there, is made from the present sources, and is what the instances run. */
export async function checkExecutable(subject: Subject): Promise<Finding[]> {
  const { root, now } = subject;
  const path = executablePath(root);
  const shown = relative(root, path);
  if (!existsSync(path)) return [fail(CHECK, `${shown} is missing`, BUILD)];
  const stamp = await readStamp(root);
  if (stamp === undefined) return [warn(CHECK, `${shown} does not say what it was built from`, BUILD)];
  if (stamp.platform !== PLATFORM) return [fail(CHECK, `${shown} was built for ${stamp.platform}`, BUILD)];
  const age = `was built ${formatDuration(now - Date.parse(stamp.builtAt))} ago`;
  const isCurrent = (await hashSources(root).catch(() => undefined)) === stamp.sourceHash;
  return [
    isCurrent
      ? ok(CHECK, `${shown} ${age}, from the present sources`)
      : warn(CHECK, `${shown} ${age}, from other sources than there are now`, BUILD),
    ...findOlderProcesses(subject, stamp),
  ];
}

function findOlderProcesses({ observations }: Subject, stamp: BuildStamp): Finding[] {
  return observations.flatMap(({ instance: { name }, answer, isOurs }) => {
    if (answer?.kind !== 'instance' || !isOurs || !isOlderThan(stamp, answer.health)) return [];
    return [
      warn(CHECK, 'runs an older build than there is now', { instance: name, remedy: `./manage reload ${name}` }),
    ];
  });
}
