import type { Scenario } from '../scenario.ts';

export const requestScenarios: readonly Scenario[] = [{ name: 'nothing' }];
