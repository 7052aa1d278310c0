import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../scripts/manage/args.ts';
import { helpText } from '../../../../scripts/manage/commands/help.ts';
import { commandNames, commandTable } from '../../../../scripts/manage/commandTable.ts';

const parse = (line: string) => parseCommandLine(line.split(' ').filter(Boolean));

describe('what is run', () => {
  const defaults = {
    names: [],
    json: false,
    quiet: false,
    colour: true,
    follow: false,
    lines: 20,
    full: false,
    keyStdin: false,
    timeoutMs: 60_000,
    days: 30,
    by: 'day',
    csv: false,
  };
  test.each([
    ['status', { command: 'status' }],
    ['start all', { command: 'start', names: ['all'] }],
    ['stop kimi glm', { command: 'stop', names: ['kimi', 'glm'] }],
    ['--quiet start kimi', { command: 'start', names: ['kimi'], quiet: true }],
    ['status -q --json --no-color', { command: 'status', json: true, quiet: true, colour: false }],
    ['logs kimi -f -n 50', { command: 'logs', names: ['kimi'], follow: true, lines: 50 }],
    ['test kimi --full --timeout 1.5', { command: 'test', names: ['kimi'], full: true, timeoutMs: 1500 }],
    ['test kimi --key-stdin', { command: 'test', names: ['kimi'], keyStdin: true }],
    ['logs --lines=0', { command: 'logs', lines: 0 }],
    ['usage', { command: 'usage' }],
    ['usage kimi --by model --days 7 --csv', { command: 'usage', names: ['kimi'], by: 'model', days: 7, csv: true }],
  ])('%s', (line, expected) => {
    expect(parse(line)).toEqual({ kind: 'run', invocation: { ...defaults, ...expected } });
  });
});

describe('what is not run', () => {
  test.each([
    ['', { kind: 'help', topic: undefined }],
    ['--help', { kind: 'help', topic: undefined }],
    ['help', { kind: 'help', topic: undefined }],
    ['help stop', { kind: 'help', topic: 'stop' }],
    ['start -h', { kind: 'help', topic: 'start' }],
    ['--version', { kind: 'version' }],
  ])('%s', (line, expected) => {
    expect(parse(line)).toEqual(expected);
  });

  test.each([
    ['stauts', 'there is no command "stauts"; did you mean "status"?'],
    ['frobnicate', 'there is no command "frobnicate"'],
    ['help strt', 'there is no command "strt"; did you mean "start"?'],
    ['toString', 'there is no command "toString"'],
    ['start', './manage start needs the name of an instance, or "all"'],
    ['start kimi --jsno', './manage start has no option --jsno; did you mean "--json"?'],
    ['--versoin', './manage has no option --versoin; did you mean "--version"?'],
    ['stop kimi --follow', './manage stop has no option --follow'],
    ['start kimi --toString', './manage start has no option --toString'],
    ['--verbose', './manage has no option --verbose'],
    ['status --json=yes', '--json takes no value'],
    ['logs --lines', '--lines needs a value: --lines N'],
    ['logs -n many', '--lines takes a number, not "many"'],
    ['test', './manage test needs the name of an instance, or "all"'],
    ['test kimi --timeout soon', '--timeout takes a number of seconds, not "soon"'],
    ['test kimi --timeout=0', '--timeout takes a number of seconds, not "0"'],
    ['logs --lines=-1', '--lines takes a number, not "-1"'],
    ['usage --days 0', '--days takes a number from 1 to 36500, not "0"'],
    ['usage --by modell', '--by takes day, model, instance, session, not "modell"; did you mean "model"?'],
    ['usage --json --csv', '--json and --csv exclude each other'],
  ])('usage: %s', (line, message) => {
    expect(parse(line)).toEqual({ kind: 'usage', message });
  });
});

test('the general help names every command, and each has a help with its examples', () => {
  for (const name of commandNames) {
    expect(helpText(undefined)).toContain(commandTable[name].usage);
    for (const [example] of commandTable[name].examples) expect(helpText(name)).toContain(example);
  }
});

test('every example of the help can be parsed', () => {
  for (const name of commandNames) {
    for (const [example] of commandTable[name].examples) {
      expect(parse(example.replace('./manage ', '')).kind).not.toBe('usage');
    }
  }
});
