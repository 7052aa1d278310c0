import { readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { instanceName } from '../../../src/config/identity.ts';
import { freePort } from '../setUp/freePort.ts';
import type { Move, PlannedFile, Remark } from './move.ts';

/** Where a plan is made, and which ports are given away; the set grows. */
export interface Surroundings {
  /** Where the user is. */
  readonly directory: string;
  readonly usedPorts: Set<number>;
}

/** What is planned for one folder so far. */
export interface Plan {
  /** The name of the folder, for what belongs to all of it. */
  readonly label: string;
  /** A path as the user knows it. */
  show(file: string): string;
  tell(remark: Remark): void;
  add(move: Move): void;
  /** The wanted port unless another instance has it, which is told as a remark on that place. */
  takePort(wanted: number | undefined, place: Omit<Remark, 'reason'>): Promise<number>;
  /** Plans a copy of a models or providers file, once, and gives its path; undefined where there is none. */
  takeFile(file: string | undefined, kind: 'models' | 'providers'): string | undefined;
  result(): Move;
}

export function createPlan(folder: string, { directory, usedPorts }: Surroundings): Plan {
  const files: PlannedFile[] = [];
  const remarks: Remark[] = [];
  const label = instanceName(join(folder, '.env'));
  const show = (file: string) => relative(directory, file) || file;
  return {
    label,
    show,
    tell: (remark) => void remarks.push(remark),
    add: (move) => {
      files.push(...move.files);
      remarks.push(...move.remarks);
    },
    takePort: async (wanted, place) => {
      const isTaken = wanted === undefined || usedPorts.has(wanted);
      const port = isTaken ? await freePort(usedPorts) : wanted;
      usedPorts.add(port);
      if (wanted !== undefined && isTaken)
        remarks.push({ ...place, reason: `${wanted} is the port of another instance; this one has ${port}` });
      return port;
    },
    takeFile: (file, kind) => {
      if (file === undefined) return undefined;
      const path = `envs/${label}.${kind}${extname(file)}`;
      if (!files.some((planned) => planned.path === path))
        files.push({ path, source: show(file), text: readFileSync(file, 'utf8') });
      return path;
    },
    result: () => ({ files, remarks }),
  };
}
