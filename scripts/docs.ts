import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleFile } from '../src/cli/envs/exampleFiles.ts';
import { findPreset, presets } from '../src/providers/index.ts';
import { architecturePicture, foldersSection } from './docs/architecturePicture.ts';
import { fillSections, type Section } from './docs/markdown.ts';
import { describePreset, instancesSection, providersPage } from './docs/providersPage.ts';
import { commandsPage, commandsSection, environmentPage, errorsPage } from './docs/referencePages.ts';
import { readGuaranteeTests, readSoakFigures, reliabilityPage } from './docs/reliability.ts';
import { readRuleTests, rulesPage } from './docs/rules.ts';
import { claudePicture, consolePicture, statusPicture, topPicture } from './docs/samplePictures.ts';

/** A generated file; the path is relative to the project. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const sections: Readonly<Record<string, Section>> = {
  commands: commandsSection,
  folders: foldersSection,
  instances: instancesSection,
  preset: ([name = '']) => {
    const preset = findPreset(name);
    if (preset === undefined) throw new Error(`there is no preset "${name}"`);
    return describePreset(preset);
  },
};

/** The pages that are written by hand and have generated parts. */
function writtenPages(root: string): readonly Document[] {
  const guides = readdirSync(join(root, 'docs', 'providers')).map((file) => `docs/providers/${file}`);
  return ['README.md', 'docs/ARCHITECTURE.md', ...guides].map((path) => ({
    path,
    text: fillSections(readFileSync(join(root, path), 'utf8'), sections),
  }));
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
    { path: 'docs/pictures/claude.svg', text: claudePicture(root) },
    { path: 'docs/pictures/architecture.svg', text: architecturePicture(root) },
    ...writtenPages(root),
    ...presets.flatMap((preset) => {
      const { name, port } = preset;
      return port === undefined ? [] : [{ path: `envs/${name}.env.example`, text: exampleFile(preset, port) }];
    }),
  ];
}

const root = join(import.meta.dirname, '..');

function isCurrent({ path, text }: Document): boolean {
  try {
    return readFileSync(join(root, path), 'utf8') === text;
  } catch {
    return false;
  }
}

/** Paths of the generated files that differ from what they are made of, or are missing. */
export function staleDocuments(): readonly string[] {
  return renderDocuments(root)
    .filter((document) => !isCurrent(document))
    .map((document) => document.path);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleDocuments();
    for (const path of stale) process.stderr.write(`${path} differs from what it is made of; run: npm run docs\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, text } of renderDocuments(root)) writeFileSync(join(root, path), text);
  }
}
