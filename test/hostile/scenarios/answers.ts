import type { Scenario } from '../scenario.ts';

export const answerScenarios: readonly Scenario[] = [{ name: 'nothing' }];
