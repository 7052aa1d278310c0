import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Shows how the instances fare: live on a terminal, once elsewhere. */
export const top = defineCommand({
  usage: 'top [all|NAME...]',
  summary: 'watch requests, tokens, latencies, errors and cost',
  names: 'optional',
  options: ['once', 'json', ...common],
  examples: [
    ['./manage top', 'a live view of all instances; q or Ctrl-C ends it'],
    ['./manage top demo --once', 'one sampleInstances, as when there is no terminal'],
    ['./manage top --json', 'the same for a program'],
  ],
  details:
    'Requests and tokens per second are those of the last minute, latencies those of the last five: until the first event (first)\nand until the end (whole), half of the requests being quicker than p50 and 95 of 100 quicker than p95. Requests, errors and\ncost are those of today; ? is a cost whose price is unknown.',

  run: async (context, invocation) => (await import('../top/showTop.ts')).showTop(context, invocation),
});
