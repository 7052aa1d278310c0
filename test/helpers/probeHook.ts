import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a probe may try, by the name under which its outcome is reported. */
const SOURCE = `
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as inspector from 'node:inspector';
import { DatabaseSync } from 'node:sqlite';

const deeds = {
  read: (path) => fs.readFileSync(path),
  list: (path) => fs.readdirSync(path),
  write: (path) => fs.writeFileSync(path, 'x'),
  remove: (path) => fs.rmSync(path),
  link: (path) => fs.symlinkSync('/etc/passwd', path),
  database: (path) => new DatabaseSync(path).exec('PRAGMA user_version'),
  spawn: (program) => { const { error } = spawnSync(program); if (error) throw error; },
  load: (path) => process.dlopen({ exports: {} }, path),
  inspect: () => { inspector.open(0, '127.0.0.1'); inspector.close(); },
  report: (path) => process.report.writeReport(path),
};

export function response(message) {
  const outcomes = JSON.parse(fs.readFileSync(new URL('probes.json', import.meta.url), 'utf8')).map(([deed, path]) => {
    try {
      deeds[deed](path);
      return 'done';
    } catch (error) {
      return error.code ?? String(error);
    }
  });
  return { ...message, content: [{ type: 'text', text: JSON.stringify(outcomes) }] };
}
`;

export type Probe = readonly [deed: string, path: string];

/** Writes a hooks file that tries something with each answer, and says what became of it in place of the answer; gives its path. */
export function writeProbeHook(folder: string, probes: readonly Probe[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'probes.json'), JSON.stringify(probes));
  writeFileSync(join(folder, 'probe.mjs'), SOURCE.replace('', ''));
  return join(folder, 'probe.mjs');
}
