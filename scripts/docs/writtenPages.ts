import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPreset } from '../../src/providers/index.ts';
import type { Document } from './documents.ts';
import { fillSections, type Section } from './fillSections.ts';
import { describePreset } from './providersPage.ts';
import { commandsSection, instancesSection } from './readmeSections.ts';

const sections: Readonly<Record<string, Section>> = {
  commands: commandsSection,
  instances: instancesSection,
  preset: ([name = '']) => {
    const preset = findPreset(name);
    if (preset === undefined) throw new Error(`there is no preset "${name}"`);
    return describePreset(preset);
  },
};

/** The pages that are written by hand and have generated parts. */
export function writtenPages(root: string): readonly Document[] {
  const guides = readdirSync(join(root, 'docs', 'providers')).map((file) => `docs/providers/${file}`);
  return ['README.md', ...guides].map((path) => ({
    path,
    text: fillSections(readFileSync(join(root, path), 'utf8'), sections),
  }));
}
