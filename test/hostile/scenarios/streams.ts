import type { Scenario } from '../scenario.ts';

export const streamScenarios: readonly Scenario[] = [{ name: 'nothing' }];
