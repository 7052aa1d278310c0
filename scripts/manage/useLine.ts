import { addressOf } from './explain.ts';
import type { Instance } from './instances.ts';

/** The line with which Claude Code uses an instance, and what to put in where a secret belongs, which is never printed. */
export function useLine(instance: Instance): string {
  const { config } = instance;
  const command = (token: string) =>
    `ANTHROPIC_BASE_URL=http://${addressOf(instance)} ANTHROPIC_AUTH_TOKEN=${token} claude`;
  if (config?.clientToken !== undefined) {
    return `${command('TOKEN')}\n(TOKEN is the ANTHROPIC_API_KEY of envs/${instance.name}.env)`;
  }
  // Claude Code's own login goes on to Anthropic itself.
  if (config?.provider.preset.servesClaude === true && config.provider.key.source === 'client') {
    return `ANTHROPIC_BASE_URL=http://${addressOf(instance)} claude`;
  }
  if (config?.provider.key.source === 'client') {
    return `${command('KEY')}\n(KEY is your key for ${config.provider.preset.title}, as envs/${instance.name}.env holds none)`;
  }
  return command('unused');
}
