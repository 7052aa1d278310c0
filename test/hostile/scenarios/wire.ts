import type { Scenario } from '../scenario.ts';

export const wireScenarios: readonly Scenario[] = [{ name: 'nothing' }];
