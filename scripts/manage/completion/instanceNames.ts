import { join } from 'node:path';
import { quotePosix } from '../client/shells.ts';

/** A line for a POSIX shell that prints the names of the instances, as they are when it runs. */
export function instanceNamesCommand(root: string): string {
  const directory = quotePosix(join(root, 'envs'));
  return `(cd ${directory} 2>/dev/null && for file in *.env; do [ -e "$file" ] && printf '%s\\n' "\${file%.env}"; done)`;
}
