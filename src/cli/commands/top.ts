import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Shows how the instances fare: live on a terminal, once elsewhere. */
export const top = defineCommand({
  usage: 'top [all|NAME...]',
  summary: 'watch requests, tokens, latencies, errors and cost',
  names: 'optional',
  options: ['postgres', 'once', 'json', ...common],
  examples: [
    ['./manage top', 'a live view of all instances; s sorts, q or Ctrl-C ends it'],
    ['./manage top demo --once', 'the figures once, as when there is no terminal'],
    ['./manage top --postgres', 'requests, errors and cost of today on all machines that share a database'],
    ['./manage top --json', 'the same for a program'],
  ],
  details:
    'Requests and tokens per second are those of the last minute, latencies those of the last five: until the first event (first)\nand until the end (whole), half of the requests being quicker; 95 of 100 are quicker than first p95 and whole p95. Requests, errors and\ncost are those of today; ? is a cost whose price is unknown. The states are those of ./manage status.\nWith --postgres the figures of today come from the database of USAGE_POSTGRES_URL, every five seconds; all else is that of this machine.',

  run: async (context, invocation) => (await import('../top/screen.ts')).showTop(context, invocation),
});
