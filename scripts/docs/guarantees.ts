import { clientGuarantees, upstreamGuarantees } from './guarantees/faults.ts';
import { loadGuarantees } from './guarantees/load.ts';
import { configurationGuarantees, logGuarantees, processGuarantees } from './guarantees/operation.ts';
import { accessGuarantees, secretGuarantees, supplyGuarantees } from './guarantees/security.ts';

export interface Guarantee {
  /** Such as `U7`: the name by which tests refer to it, at the beginning of their titles. */
  readonly id: string;
  readonly promise: string;
  /** What was measured; undefined where the tests alone say that it holds. */
  readonly figure?: string;
  /** Day of the figure, or of the last look. */
  readonly date: string;
  /** What proves it, where no test does or more is needed. */
  readonly command?: string;
  /** What of the promise is not reached although the rest holds, and why. */
  readonly partly?: string;
  /** Why it is not reached, and what would reach it. */
  readonly open?: string;
}

export interface GuaranteeGroup {
  readonly title: string;
  readonly guarantees: readonly Guarantee[];
}

/** What the proxy promises to survive, by number: the groups of docs/RELIABILITY.md in their order. */
export const guaranteeGroups: readonly GuaranteeGroup[] = [
  { title: 'Load', guarantees: loadGuarantees },
  { title: 'Faults of the provider', guarantees: upstreamGuarantees },
  { title: 'Faults of the client', guarantees: clientGuarantees },
  { title: 'Processes', guarantees: processGuarantees },
  { title: 'Configuration', guarantees: configurationGuarantees },
  { title: 'Logs', guarantees: logGuarantees },
  { title: 'Secrets', guarantees: secretGuarantees },
  { title: 'Access', guarantees: accessGuarantees },
  { title: 'Supply chain', guarantees: supplyGuarantees },
];
