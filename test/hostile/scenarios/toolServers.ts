import type { Scenario } from '../scenario.ts';

export const toolScenarios: readonly Scenario[] = [{ name: 'nothing' }];
