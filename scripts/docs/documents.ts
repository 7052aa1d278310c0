import { exampleFile } from '../../src/cli/envs/exampleFile.ts';
import { presets } from '../../src/providers/index.ts';
import { commandsPage } from './commandsPage.ts';
import { environmentPage } from './environmentPage.ts';
import { errorsPage } from './errorsPage.ts';
import { readGuaranteeTests } from './guaranteeTests.ts';
import { consolePicture } from './pictures/consolePicture.ts';
import { statusPicture } from './pictures/statusPicture.ts';
import { topPicture } from './pictures/topPicture.ts';
import { providersPage } from './providersPage.ts';
import { reliabilityPage } from './reliabilityPage.ts';
import { rulesPage } from './rulesPage.ts';
import { readRuleTests } from './ruleTests.ts';
import { readSoakFigures } from './soakFigures.ts';
import { writtenPages } from './writtenPages.ts';

/** A generated file; the path is relative to the project. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** Every file that is made from the project's tables, views and tests, or has parts that are. A preset with a port gets an example env file. */
export function renderDocuments(root: string): readonly Document[] {
  return [
    { path: 'docs/ENVIRONMENT.md', text: environmentPage() },
    { path: 'docs/COMMANDS.md', text: commandsPage() },
    { path: 'docs/PROVIDERS.md', text: providersPage() },
    { path: 'docs/ERRORS.md', text: errorsPage() },
    { path: 'docs/RULES.md', text: rulesPage(readRuleTests(root)) },
    { path: 'docs/RELIABILITY.md', text: reliabilityPage(readGuaranteeTests(root), readSoakFigures(root)) },
    { path: 'docs/pictures/status.svg', text: statusPicture() },
    { path: 'docs/pictures/top.svg', text: topPicture() },
    { path: 'docs/pictures/console.svg', text: consolePicture() },
    ...writtenPages(root),
    ...presets
      .filter((preset) => preset.port !== undefined)
      .map((preset) => ({ path: `envs/${preset.name}.env.example`, text: exampleFile(preset) })),
  ];
}
