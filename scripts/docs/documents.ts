import { presets } from '../../src/providers/index.ts';
import { environmentPage } from './environmentPage.ts';
import { errorsPage } from './errorsPage.ts';
import { exampleFile } from './exampleFile.ts';
import { providersPage } from './providersPage.ts';
import { rulesPage } from './rulesPage.ts';
import { readRuleTests } from './ruleTests.ts';

/** A generated file; the path is relative to the project. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** Every file that is made from the project's tables and tests. A preset with a port gets an example env file. */
export function renderDocuments(root: string): readonly Document[] {
  return [
    { path: 'docs/ENVIRONMENT.md', text: environmentPage() },
    { path: 'docs/PROVIDERS.md', text: providersPage() },
    { path: 'docs/ERRORS.md', text: errorsPage() },
    { path: 'docs/RULES.md', text: rulesPage(readRuleTests(root)) },
    ...presets
      .filter((preset) => preset.port !== undefined)
      .map((preset) => ({ path: `envs/${preset.name}.env.example`, text: exampleFile(preset) })),
  ];
}
