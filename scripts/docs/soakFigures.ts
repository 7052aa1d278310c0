import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from './markdown.ts';

/** docs/soak.json, as `npm run soak -- --write` writes it. */
export interface SoakFigures {
  readonly date: string;
  readonly machine: string;
  readonly minutes: number;
  readonly users: number;
  readonly requests: Readonly<Record<'answered' | 'aborted' | 'faults' | 'refused' | 'failed', number>>;
  readonly edits: number;
  readonly brokenEdits: number;
  readonly rollingReloads: number;
  readonly rotatedLogs: number;
  readonly warmUpMinutes: number;
  readonly residentMib: Span;
  readonly heapMib: Span;
  readonly descriptors: Ends;
  readonly timers: Ends;
  readonly faultsOfOurOwn: number;
}

interface Span {
  readonly warm: number;
  readonly end: number;
  readonly slopePerHour: number;
}

interface Ends {
  readonly before: number;
  readonly after: number;
}

export function readSoakFigures(root: string): SoakFigures {
  return JSON.parse(readFileSync(join(root, 'docs/soak.json'), 'utf8'));
}

const number = (value: number) => value.toLocaleString('en-US');
const describeSpan = ({ warm, end, slopePerHour }: Span) =>
  `${warm} MiB after the warm-up, ${end} at the end (${slopePerHour > 0 ? '+' : ''}${slopePerHour} an hour)`;
const describeEnds = ({ before, after }: Ends) => `${before} before, ${after} after 70 s of rest`;

/** The run in one line. */
export function summarizeSoak({ minutes, requests, heapMib, descriptors, faultsOfOurOwn }: SoakFigures): string {
  const total = requests.answered + requests.aborted + requests.faults + requests.failed;
  return `${number(minutes)} minutes, ${number(total)} requests: ${requests.failed} failed, heap ${heapMib.warm} to ${heapMib.end} MiB, descriptors ${descriptors.before} to ${descriptors.after}, ${faultsOfOurOwn} faults of our own`;
}

/** The figures of a run as a table. */
export function describeSoak(soak: SoakFigures): string {
  const { answered, aborted, faults, refused, failed } = soak.requests;
  return `${soak.machine}\n\n${markdownTable(
    ['What', 'Figure'],
    [
      [
        'Length',
        `${number(soak.minutes)} minutes with ${soak.users} conversations at a time, ${soak.warmUpMinutes} of them warm-up`,
      ],
      [
        'Requests',
        `${number(answered)} answered, ${number(aborted)} broken off, ${number(faults)} with a fault of the provider`,
      ],
      ['Failed', `${failed}, and ${refused} sent again as they met a reload`],
      [
        'Edits, reloads, rotations',
        `${soak.edits} edits, ${soak.brokenEdits} broken ones, ${soak.rollingReloads} rolling reloads, ${soak.rotatedLogs} rotated files left`,
      ],
      ['Memory', describeSpan(soak.residentMib)],
      ['Heap after collection', describeSpan(soak.heapMib)],
      ['Descriptors', describeEnds(soak.descriptors)],
      ['Timers', describeEnds(soak.timers)],
      ['Faults of our own, unhandled rejections', String(soak.faultsOfOurOwn)],
    ],
  )}`;
}
