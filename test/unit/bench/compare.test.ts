import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readArguments } from '../../../bench/arguments.ts';
import { buildCommit } from '../../../bench/processes/buildCommit.ts';
import { comparisonTable } from '../../../bench/report/comparison.ts';
import type { Sample } from '../../../bench/scenarios/scenario.ts';
import { smallAnswers } from '../../../bench/scenarios/smallAnswers.ts';

test('without options all scenarios run, each with its own rounds, on the build of the checkout', () => {
  expect(readArguments([])).toEqual({
    long: false,
    only: [],
    rounds: undefined,
    compare: undefined,
    targets: undefined,
    binary: undefined,
    write: false,
    help: false,
  });
});

test('--compare takes a commit, beside the scenarios, the rounds and another build', () => {
  const values = readArguments(['--compare', 'main', '--only', 'S1,S3', '--rounds', '7', '--binary', 'build/proxy']);
  expect(values).toMatchObject({ compare: 'main', only: ['S1', 'S3'], rounds: 7, binary: resolve('build/proxy') });
});

test.each([
  [['--compare', ''], 'a commit, branch or tag expected'],
  [['--compare'], 'argument missing'],
  [['--compare', 'main', '--write'], 'leave out --write'],
  [['--rounds', '0'], '--rounds 0: a whole number from 1 expected'],
  [['--rounds', 'many'], '--rounds many: a whole number from 1 expected'],
  [['--faster'], "Unknown option '--faster'"],
])('%j is refused', (texts, message) => {
  expect(() => readArguments(texts)).toThrow(message);
});

test('the ratio is that of the rounds, so that a slow minute of the machine changes nothing', () => {
  const rounds = new Map<string, Sample[]>([
    ['main', [{ cpuMs: 1 }, { cpuMs: 4 }, { cpuMs: 1 }]],
    ['checkout', [{ cpuMs: 0.9 }, { cpuMs: 3.2 }, { cpuMs: 0.85 }]],
  ]);
  const lines = comparisonTable([{ scenario: smallAnswers, rounds }], 'main', 'checkout').split('\n');
  expect(lines[0]).toBe('| scenario | figure | main | checkout | ratio | of the rounds |');
  expect(lines[2]).toBe('| S1 | CPU ms per request | 1.000 | 0.900 | 0.85× | 0.80–0.90 |');
  expect(lines[3]).toBe('| S1 | requests/s | – | – | – | – |');
});

test('a commit that does not exist is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compare-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync('git', ['init', '--quiet', folder]);
  expect(() => buildCommit(folder, 'no-such-branch', join(folder, 'clone'))).toThrow(
    /no-such-branch\^\{commit\} failed: fatal/,
  );
});
