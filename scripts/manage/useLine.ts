import { addressOf } from './explain.ts';
import type { Instance } from './instances.ts';

/**
 * How Claude Code uses an instance, with ./manage and by hand, and what to put in where a secret belongs, which is never
 * printed.
 */
export function useLine(instance: Instance): string {
  const { config, name } = instance;
  const address = `ANTHROPIC_BASE_URL=http://${addressOf(instance)}`;
  const lines = (run: string, byHand: string, ...notes: string[]) =>
    [`Use it: ${run}`, `    or: ${byHand}`, ...notes].join('\n');
  const run = `./manage run ${name}`;
  if (config?.clientToken !== undefined) {
    const note = `(TOKEN is the ANTHROPIC_API_KEY of envs/${name}.env)`;
    return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=TOKEN claude`, note);
  }
  if (config?.provider.key.source !== 'client') return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=unused claude`);
  const { preset } = config.provider;
  // Claude Code's own login goes on to Anthropic itself.
  if (preset.servesClaude === true) return lines(run, `${address} claude`);
  const key = 'ANTHROPIC_AUTH_TOKEN=KEY';
  const note = `(KEY is your key for ${preset.title}, as envs/${name}.env holds none)`;
  return lines(`${key} ${run}`, `${address} ${key} claude`, note);
}
