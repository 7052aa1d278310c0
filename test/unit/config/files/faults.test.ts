import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../../../src/config/diagnostics.ts';
import { problemsOf, readLines } from '../../../helpers/configText.ts';

/** A provider without fault, and below its name, in line 4, what the test is about. */
const file = (...lines: readonly string[]) =>
  ['{"providers": [{', '  "preset": "demo",', '  "name": "one",', ...lines.map((line) => `${line},`), '}]}'].join('\n');

describe('what is wrong in a providers file is reported with its path and line', () => {
  test.each([
    ['"base_url": "example.com"', 'error 4 providers[0].base_url'],
    ['"priority": "first"', 'error 4 providers[0].priority'],
    ['"weight": -1', 'error 4 providers[0].weight'],
    ['"enabled": "perhaps"', 'error 4 providers[0].enabled'],
    ['"timeout": 0', 'error 4 providers[0].timeout'],
    ['"max_retries": 1.5', 'error 4 providers[0].max_retries'],
    ['"custom_headers": []', 'error 4 providers[0].custom_headers'],
    ['"custom_headers": {\n "Host": "x"}', 'error 5 providers[0].custom_headers.Host'],
    ['"models": ["a"]', 'error 4 providers[0].models'],
    ['"models": {\n "big": ["a",\n "b c"]}', 'error 6 providers[0].models.big[1]'],
    ['"models": {\n "bog": "a"}', 'warning 5 providers[0].models.bog'],
    ['"protocol": "soap"', 'error 4 providers[0].protocol'],
    ['"protocol": "anthropic"', 'error 4 providers[0].protocol'],
    ['"region": "moon"', 'error 4 providers[0].region'],
    ['"api_version": "1"', 'warning 4 providers[0].api_version'],
    ['"api_key": {}', 'error 4 providers[0].api_key'],
    ['"api_keys": [\n["a"]]', 'error 5 providers[0].api_keys[0]'],
    ['"quirks": {\n "tool_choise": 1}', 'error 5 providers[0].quirks.tool_choise'],
    ['"max_retrys": 1', 'warning 4 providers[0].max_retrys'],
    ['"timeout": "${}"', 'error 4 providers[0].timeout'],
  ])('%s', (line, problem) => {
    expect(problemsOf([], { providers: file(line) })[0]).toBe(problem);
  });

  test.each([
    ['{"providers": [{}]}', 'error 1 providers[0].name'],
    ['{"providers": [{"name": "a,b"}]}', 'error 1 providers[0].name'],
    ['{"providers": [{"name": "a"}]}', 'error 1 providers[0].base_url'],
    ['{"providers": [{"name": "a", "preset": "kimmi"}]}', 'error 1 providers[0].preset'],
    ['{"providers": [{"name": "a", "base_url": "http://localhost/v1"}]}', 'error 1 providers[0].models'],
    ['{"providers": [\n"a"]}', 'error 2 providers[0]'],
    ['{"providers": {}}', 'error 1 providers'],
    ['{"provider": []}', 'warning 1 provider'],
    ['"text"', 'error - providers'],
    ['', 'error - providers'],
    ['{"providers": []}', 'error - providers'],
    ['{"providers": [}', 'error 1 file'],
    ['{"providers": [{"name": "a", "preset": "demo"},\n{"name": "A", "preset": "demo"}]}', 'error 2 providers[1].name'],
    ['{"fallback_strategy": "best",\n"providers": [{"name": "a", "preset": "demo"}]}', 'error 1 fallback_strategy'],
    [
      '{"providers": [{"name": "a", "preset": "demo"}],\n"circuit_breaker": {\n"failure_threshold": 0}}',
      'error 3 circuit_breaker.failure_threshold',
    ],
    ['{"providers": [{"name": "a", "preset": "demo"}],\n"health_check": "ping"}', 'error 2 health_check'],
  ])('%j', (providers, problem) => {
    expect(problemsOf([], { providers })[0]).toBe(problem);
  });

  test('all of it at once, also of a provider that is switched off', () => {
    const providers =
      '{"providers": [\n{"name": "a", "enabled": false, "timeout": 0},\n{"name": "b", "priority": "x", "weight": "y"}]}';
    expect(problemsOf([], { providers }).filter((problem) => problem.startsWith('error'))).toEqual([
      'error 2 providers[0].timeout',
      'error 3 providers[1].priority',
      'error 3 providers[1].weight',
      'error 3 providers[1].base_url',
    ]);
  });

  test('with the nearest name', () => {
    expect(formatProblems(readLines([], { providers: file('"fallback": 1') }).problems)).toContain(
      'docs/ENVIRONMENT.md',
    );
    expect(formatProblems(readLines([], { providers: file('"piority": 1') }).problems)).toContain(
      'Did you mean priority?',
    );
  });
});
