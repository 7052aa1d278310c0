import { closeSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** The ways in which editors, deployments and people change a file. */
export const editWays: Readonly<Record<string, (path: string, text: string) => Promise<void>>> = {
  'in place, in pieces': async (path, text) => {
    const file = openSync(path, 'w');
    for (const line of text.split(/(?<=\n)/)) {
      writeSync(file, line);
      await setImmediate();
    }
    closeSync(file);
  },
  'by a rename over it': async (path, text) => {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  },
  'deleted and made again': async (path, text) => {
    rmSync(path);
    await setImmediate();
    writeFileSync(path, text, { mode: 0o600 });
  },
  'by a link that is turned': async (path, text) => {
    const target = `${path}.${process.hrtime.bigint()}`;
    writeFileSync(target, text, { mode: 0o600 });
    symlinkSync(target, `${path}.link`);
    renameSync(`${path}.link`, path);
  },
};
