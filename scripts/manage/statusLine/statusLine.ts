import { terminalSafe } from '../../../src/core/text.ts';
import { formatTokens } from './formatTokens.ts';
import type { SessionUsage } from './sessionUsage.ts';

/** What the line is made of. */
export interface StatusFigures {
  readonly instance: string;
  readonly isUp: boolean;
  /** Undefined when the usage file cannot be read. */
  readonly usage: SessionUsage | undefined;
}

/** `$0.42`; more digits while it is little; `?` beside it, or alone, for what no price is known for. */
function formatCost({ cost, unpriced, requests }: SessionUsage['session']): string {
  if (requests > 0 && unpriced === requests) return '$?';
  const known = cost === 0 || cost >= 1 ? cost.toFixed(2) : cost.toFixed(4);
  return `$${known}${unpriced > 0 ? '+?' : ''}`;
}

function describeSession({ session }: SessionUsage): string[] {
  const input = session.input + session.cacheRead + session.cacheWrite;
  if (session.requests === 0) return [];
  const cached = input === 0 ? 0 : Math.round((100 * session.cacheRead) / input);
  const share = cached === 0 ? '' : ` (${cached}% cached)`;
  return [`${formatTokens(input)} in${share}, ${formatTokens(session.output)} out`, formatCost(session)];
}

/** The line for Claude Code's status bar: instance, model that really answered, the session's tokens and cost, the day's cost. */
export function statusLine({ instance, isUp, usage }: StatusFigures): string {
  const parts = [
    isUp ? instance : `${instance} is down: ./manage start ${instance}`,
    ...(usage?.model === undefined ? [] : [usage.model]),
    ...(usage === undefined ? [] : [...describeSession(usage), `today ${formatCost(usage.today)}`]),
  ];
  return terminalSafe(parts.join(' · '));
}
