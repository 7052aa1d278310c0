import type { Guarantee } from '../guarantees.ts';
import { guarantee } from './guarantee.ts';

export const loadGuarantees: readonly Guarantee[] = [
  guarantee(
    'L1',
    '1,000 streams of 20 events a second for a minute: none lost, doubled or out of order; p50 +2 ms, p99 +30 ms, 250 MiB, 75 % of a core',
    {
      figure: '1,200,000 events: 0 lost, doubled or out of order; 208 MiB',
      partly:
        'where client, provider and proxy share two processors, p50 is 4 to 21 ms later and p99 68 to 117, and the proxy takes 88 to 96 % of a core (34 to 64 % when the same machine was faster). A proxy that only parses and prints takes three quarters of that (docs/BENCHMARKS.md, S4); a core of its own would reach it',
    },
  ),
  guarantee('L2', '2,000 streams of 5 events a second within 280 MiB', {
    figure: '0 events lost, 278 MiB',
  }),
  guarantee('L3', 'Four instances with 250 streams each: as one with 1,000', {
    open: '0 events lost, 171 MiB and 25 % of a core for each, p50 +1.2 ms; p99 +134 ms where seven processes share two processors. Cores enough for them would show the rest.',
  }),
  guarantee('L4', '500 requests a second with answers of 10 kB: p50 +1 ms, p99 +5 ms', {
    open: 'p50 +0.6 ms; p99 +11.6 ms on two slow processors, which client and provider share. To be measured where the proxy has a core of its own.',
  }),
  guarantee('L5', 'Soak: no growth, no descriptor left, no fault of our own', { command: 'npm run soak -- --write' }),
  guarantee('L6', 'A client that reads 1 kB a second of 10 MB holds at most 4 MiB', {
    figure: '50 such clients: 2.1 MiB each',
  }),
  guarantee('L7', 'A client that goes closes the provider’s socket within 100 ms (p99)', {
    figure: '10,000 aborts: p50 10 ms, p99 86 ms; heap +0.4 MiB',
  }),
  guarantee('L8', 'Above MAX_CONCURRENT: 529 with retry-after within 50 ms, while streams run on', {
    figure: '529 after p99 4 ms; pauses of running streams longer by p99 2 ms',
  }),
  guarantee('L9', '`count_tokens` of a megabyte of anything: within 250 ms, no stream stands still for more than 50', {
    figure: 'at most 65 ms on a busy machine, 21 on a quiet one; longest pause of a stream 16 ms',
  }),
  guarantee('L10', 'Status of ten instances within 150 ms, one up in 700, all ten in 5 s', {
    figure: '122 ms, 614 ms and 1.2 s',
  }),
];
