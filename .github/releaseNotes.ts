import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What stands under the heading of a version in a changelog of the form of https://keepachangelog.com/en/1.1.0/.
 * @param version as `1.2.3`; its heading may be in brackets and have a date behind it
 * @throws when there is no such heading, or nothing under it
 */
export function releaseNotes(changelog: string, version: string): string {
  const lines = changelog.split(/\r?\n/);
  const isHeading = (line: string) => line.startsWith('## ');
  const first = lines.findIndex(
    (line) => isHeading(line) && line.slice(3).replace(/[[\]]/g, '').split(' ')[0] === version,
  );
  if (first === -1)
    throw new Error(`CHANGELOG.md has no heading "## ${version}"; give what is under "## Unreleased" that name.`);
  const rest = lines.slice(first + 1);
  const end = rest.findIndex(isHeading);
  const notes = (end === -1 ? rest : rest.slice(0, end)).join('\n').trim();
  if (notes === '') throw new Error(`CHANGELOG.md has nothing under "## ${version}".`);
  return `${notes}\n`;
}

if (import.meta.main) {
  try {
    const [version = ''] = process.argv.slice(2);
    process.stdout.write(releaseNotes(readFileSync(join(import.meta.dirname, '..', 'CHANGELOG.md'), 'utf8'), version));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
