import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Proves that the provider of each named instance does what Claude Code needs. */
export const test = defineCommand({
  usage: 'test all|NAME [NAME...]',
  summary: 'prove that a provider does what Claude Code needs',
  names: 'required',
  options: ['full', 'timeoutMs', 'keyStdin', 'yes', 'input', 'json', ...common],
  examples: [
    ['./manage test work', 'network, key, models and a streamed answer, for a few tokens'],
    [
      './manage test work --full',
      'everything; says first what that may cost with this model’s window and price, and asks',
    ],
    ['./manage test work --key-stdin < FILE', 'an instance that passes on the client’s key'],
  ],
  details:
    'Sends real requests through the running instance, shows what works and what it cost, and names the QUIRK_ line to set\nwhere something does not. --full asks before it spends anything; scripts say --yes. Exit status 1 when a check failed; a warning is no failure.',

  run: async (context, invocation) =>
    (await import('../providerTest/testInstances.ts')).testInstances(context, invocation),
});
