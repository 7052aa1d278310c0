import type { Guarantee } from '../guarantees.ts';
import { guarantee } from './guarantee.ts';

export const processGuarantees: readonly Guarantee[] = [
  guarantee('P1', 'An instance that is killed serves again within a second; the others do not notice'),
  guarantee('P2', 'A wrong configuration: exit 78 with file and line, no loop'),
  guarantee('P3', 'A crash loop is slowed down and seen in the status', {
    figure: '100 ms between the first starts, growing to 15 s; PM2 does not give up',
  }),
  guarantee('P4', 'The PM2 daemon is killed: instances serve on, status says so, start takes them back'),
  guarantee('P5', 'A port that is taken: its holder is named, and no other port is taken in silence'),
  guarantee('P6', 'A stale state of another process: no stranger is ever signalled'),
  guarantee('P7', 'Starts, stops and restarts from several shells at once: one process each'),
  guarantee(
    'P8',
    'A stop lets answers end, cuts what takes longer than DRAIN_SECONDS with an error event, ends with 0',
  ),
  guarantee('P9', 'A reload under load fails no request'),
  guarantee('P10', 'Two instances on one port are refused, also where the port can be shared'),
  guarantee('P11', 'After a restart of the machine the instances are back'),
  guarantee('P12', 'Short of memory it refuses work before it dies', {
    figure:
      '529 above nine tenths of the heap’s limit; with 64 MiB, requests of 3 MB are taken up to there and answered',
  }),
  guarantee('P13', 'Short of descriptors it refuses connections, lives on, and serves when there are some', {
    figure: 'with 64 of them',
  }),
];

export const configurationGuarantees: readonly Guarantee[] = [
  guarantee('E1', 'A broken edit leaves the old configuration serving, with its line in log, /health and status'),
  guarantee('E2', 'A valid edit, however written, is seen within a second and drops no stream'),
  guarantee('E3', 'A changed key is used by the next request'),
  guarantee('E4', 'A file that others may read: a warning; `doctor --fix` mends it; `init` makes 0600 in 0700'),
  guarantee('E5', 'BOM, CRLF, quotes, `#`, NUL, control characters, names given twice: read or told'),
];

export const logGuarantees: readonly Guarantee[] = [
  guarantee('G1', 'A full disk: no request fails, lost lines are counted in /health, logging comes back', {
    figure: '256 kB tmpfs and /dev/full: 0 requests failed; back 1 to 30 s after there is room',
  }),
  guarantee('G2', 'A log folder that is missing, read-only, deleted or replaced: the same'),
  guarantee('G3', 'Nothing older than 72 hours, total within LOG_MAX_TOTAL, the active file is never deleted'),
  guarantee('G4', 'A clock that jumps a year: one rotation, one sweep, no crash'),
  guarantee('G5', 'Each line is one JSON object, control characters escaped'),
  guarantee('G6', 'With LOG_LEVEL=debug there is still no key'),
];
