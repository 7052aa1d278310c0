import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandTable } from '../src/cli/commandTable.ts';
import { createDiagnostics } from '../src/config/diagnostics.ts';
import { isFamilyName, settingOfName } from '../src/config/env/variables.ts';
import { entryTable } from '../src/config/files/modelsFile.ts';
import { fileTable, providerTable } from '../src/config/files/providersFile.ts';
import { readQuirk } from '../src/config/overrides.ts';

const root = join(import.meta.dirname, '..');

interface Row {
  readonly there: string;
  readonly here: string;
}

function rowsOf(section: string): readonly Row[] {
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:---|there )/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')))
    .map(([there = '', here = '']) => ({ there, here }));
}

const codeIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
/** A setting of an env file or a field of a models or providers file, without the value behind it. */
const settingsIn = (text: string) =>
  codeIn(text).flatMap(
    (one) =>
      /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[a-z]+(?:_[a-z]+)+|context|name|enabled|priority|timeout|models)(?:=|$)/.exec(
        one,
      )?.[1] ?? [],
  );

function isQuirk(name: string): boolean {
  const report = createDiagnostics('');
  readQuirk(name, '', { name: name }, report);
  return report.problems.length === 0;
}

function isKnown(name: string): boolean {
  if (name.startsWith('QUIRK_')) return isQuirk(name);
  const tables = [entryTable, fileTable, fileTable.circuit_breaker.fields, providerTable];
  const isField = tables.some((table) => Object.hasOwn(table, name));
  return settingOfName.has(name) || isFamilyName(name) || isField;
}

const text = readFileSync(join(root, 'docs/MIGRATION.md'), 'utf8');
const [, differences = '', ...systems] = text.split('\n## ');
const rows = systems.flatMap(rowsOf);

test('there is a table for each earlier system', () => {
  expect(systems).toHaveLength(4);
  expect(systems.filter((section) => rowsOf(section).length < 5)).toEqual([]);
});

describe('docs/MIGRATION.md names', () => {
  const named = rows.filter(({ there }) => settingsIn(there).length > 0);

  test.each(named)(
    '$there: what is said to be the same is known, what has no counterpart is not',
    ({ there, here }) => {
      const names = settingsIn(there);
      if (here.startsWith('the same')) expect(names.filter((name) => !isKnown(name))).toEqual([]);
      else if (here.startsWith('no counterpart')) expect(names.filter(isKnown)).toEqual([]);
      else expect(codeIn(here)).not.toEqual([]);
    },
  );

  test('settings of ours that there are', () => {
    const ours = [...rows, ...rowsOf(differences)].flatMap(({ here }) => settingsIn(here));
    expect(ours).toContain('MAX_TOKENS_LIMIT');
    expect(ours.filter((name) => !isKnown(name) && !name.endsWith('_'))).toEqual([]);
  });

  test('addresses that there are', () => {
    const folder = join(root, 'src/server/routes');
    const routes = readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
    const same = rows.filter(({ here }) => !here.startsWith('no counterpart')).flatMap(({ there }) => codeIn(there));
    const paths = same.flatMap((one) => /^(?:GET|POST) (\/.*)$/.exec(one)?.[1] ?? []);
    expect(paths).toContain('/v1/messages');
    expect(paths.filter((path) => !routes.includes(`'${path}'`) && !routes.includes(`${path}\``))).toEqual([]);
  });

  test('commands that there are', () => {
    const commands = [...text.matchAll(/`\.\/manage (\w+)/g)].map((match) => match[1] ?? '');
    expect(commands).toContain('status');
    expect(commands.filter((name) => !Object.hasOwn(commandTable, name))).toEqual([]);
  });
});
