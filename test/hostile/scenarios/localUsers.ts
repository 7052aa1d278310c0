import type { Scenario } from '../scenario.ts';

export const localScenarios: readonly Scenario[] = [{ name: 'nothing' }];
