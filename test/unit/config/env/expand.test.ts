import { describe, expect, test } from 'vitest';
import { configOf, problemsOf, readLines } from '../../../helpers/configText.ts';

const BASE = ['PROVIDER=custom', 'OPENAI_BASE_URL=http://127.0.0.1:1/v1'];
const bigModel = (lines: readonly string[], environment: Record<string, string> = {}) =>
  configOf([...BASE, ...lines], { environment }).tiers.big;

describe('${NAME} in values', () => {
  test.each<[string, string[], string]>([
    ['inside a value', ['NAME=b', 'BIG_MODEL=a-${NAME}-c'], 'a-b-c'],
    ['of a later line', ['BIG_MODEL=${NAME}', 'NAME=b'], 'b'],
    ['several', ['A=1', 'B=2', 'BIG_MODEL=${A}${B}${A}'], '121'],
    ['through another', ['A=x', 'B=${A}y', 'BIG_MODEL=${B}z'], 'xyz'],
    ['with a default that is not needed', ['A=x', 'BIG_MODEL=${A:-y}'], 'x'],
    ['with a default for a missing name', ['BIG_MODEL=${A:-y}'], 'y'],
    ['with a default for an empty name', ['A=', 'BIG_MODEL=${A:-y}'], 'y'],
    ['with an empty default', ['BIG_MODEL=m${A:-}'], 'm'],
    ['without braces stands for itself', ['A=x', 'BIG_MODEL=$A'], '$A'],
    ['in single quotes stands for itself', ['A=x', "BIG_MODEL='${A}'"], '${A}'],
  ])('%s', (_name, lines, expected) => {
    expect(bigModel(lines)).toBe(expected);
  });

  test('takes the file before the environment', () => {
    expect(bigModel(['A=file', 'BIG_MODEL=${A}${B}'], { A: 'environment', B: '!' })).toBe('file!');
  });

  test('a value that names itself means the environment', () => {
    expect(bigModel(['SOME_MODEL=${SOME_MODEL}', 'BIG_MODEL=${SOME_MODEL}'], { SOME_MODEL: 'x' })).toBe('x');
  });

  test('what comes in from the environment is not expanded again', () => {
    expect(bigModel(['BIG_MODEL=${A}'], { A: '${B}' })).toBe('${B}');
  });

  test.each<[string, string[], string[]]>([
    ['a missing name', ['BIG_MODEL=${NOPE}'], ['error 3 BIG_MODEL']],
    ['a circle', ['BIG_MODEL=${A}', 'A=${B}', 'B=${A}'], ['error 4 A', 'error - BIG_MODEL']],
    ['a name that only means itself', ['BIG_MODEL=${BIG_MODEL}'], ['error 3 BIG_MODEL']],
    ['a reference that does not end', ['BIG_MODEL=${A', 'A=x'], ['error 3 BIG_MODEL']],
    ['a malformed name', ['BIG_MODEL=${A B}'], ['error 3 BIG_MODEL']],
  ])('%s is reported with its line', (_name, lines, problems) => {
    expect(problemsOf([...BASE, ...lines])).toEqual(problems);
  });

  test('a circle names its members', () => {
    const { problems } = readLines([...BASE, 'BIG_MODEL=${A}', 'A=${B}', 'B=${A}']);
    expect(problems.map((problem) => problem.found)).toContainEqual(expect.stringContaining('A -> B -> A'));
  });
});
