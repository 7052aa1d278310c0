import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/args.ts';
import { loadCommands } from '../../../src/cli/command.ts';
import { helpText } from '../../../src/cli/commands/help.ts';
import { commandTable } from '../../../src/cli/commandTable.ts';

const parse = (line: string) => parseCommandLine(line.split(' ').filter(Boolean));

const commands = await loadCommands(commandTable);

describe('what is run', async () => {
  /** What holds without any option; a command line changes nothing but what it names. */
  const plain = await parse('status');
  const defaults = plain.kind === 'run' ? plain.invocation : undefined;

  test('status', () => {
    expect(defaults).toMatchObject({
      command: 'status',
      names: [],
      json: false,
      quiet: false,
      colour: true,
      follow: false,
      lines: undefined,
      since: undefined,
      errors: false,
      once: false,
      fix: false,
      online: false,
      full: false,
      keyStdin: false,
      timeoutMs: 60_000,
      days: 30,
      by: 'day',
      csv: false,
      as: undefined,
      port: undefined,
      stdin: false,
      yes: false,
      input: true,
      dryRun: false,
      shell: undefined,
      project: false,
      rest: [],
    });
  });

  test.each([
    ['start all', { command: 'start', names: ['all'] }],
    ['stop kimi glm', { command: 'stop', names: ['kimi', 'glm'] }],
    ['--quiet start kimi', { command: 'start', names: ['kimi'], quiet: true }],
    ['status -q --json --no-color', { command: 'status', json: true, quiet: true, colour: false }],
    ['logs kimi -f -n 50', { command: 'logs', names: ['kimi'], follow: true, lines: 50 }],
    ['test kimi --full --timeout 1.5', { command: 'test', names: ['kimi'], full: true, timeoutMs: 1500 }],
    ['test kimi --key-stdin', { command: 'test', names: ['kimi'], keyStdin: true }],
    ['init', { command: 'init' }],
    ['init openai --stdin --no-input', { command: 'init', names: ['openai'], stdin: true, input: false }],
    ['add openai --as work --port 8090', { command: 'add', names: ['openai'], as: 'work', port: 8090 }],
    ['add custom --url http://h/v1 --model m', { command: 'add', names: ['custom'], url: 'http://h/v1', model: 'm' }],
    ['remove work -y --dry-run', { command: 'remove', names: ['work'], yes: true, dryRun: true }],
    ['run one', { command: 'run', names: ['one'] }],
    [
      'run one -q -- -p --model haiku start',
      { command: 'run', names: ['one'], quiet: true, rest: ['-p', '--model', 'haiku', 'start'] },
    ],
    ['run one --ask -p hi', { command: 'run', names: ['one'], ask: true, rest: ['-p', 'hi'] }],
    ['run one -p hi', { command: 'run', names: ['one'], rest: ['-p', 'hi'] }],
    [
      'run -q one --no-color --model x -- y',
      { command: 'run', names: ['one'], quiet: true, colour: false, rest: ['--model', 'x', '--', 'y'] },
    ],
    ['run one -- -- --help', { command: 'run', names: ['one'], rest: ['--', '--help'] }],
    ['env one --shell fish', { command: 'env', names: ['one'], shell: 'fish' }],
    ['use one --project --yes', { command: 'use', names: ['one'], project: true, yes: true }],
    ['pm2', { command: 'pm2' }],
    ['pm2 logs one --lines 5 -- --help', { command: 'pm2', rest: ['logs', 'one', '--lines', '5', '--', '--help'] }],
    ['import a b --dry-run', { command: 'import', names: ['a', 'b'], dryRun: true }],
    ['logs kimi --since 2026-11-20T09:00Z', { command: 'logs', names: ['kimi'], since: Date.UTC(2026, 10, 20, 9) }],
    ['logs --errors --json -n 5', { command: 'logs', errors: true, json: true, lines: 5 }],
    ['top kimi --once', { command: 'top', names: ['kimi'], once: true }],
    ['doctor --fix --online', { command: 'doctor', fix: true, online: true }],
    ['logs --lines=0', { command: 'logs', lines: 0 }],
    ['usage', { command: 'usage' }],
    ['usage kimi --by model --days 7 --csv', { command: 'usage', names: ['kimi'], by: 'model', days: 7, csv: true }],
  ] as const)('%s', async (line, expected) => {
    const command = await commandTable[expected.command]();
    expect(await parse(line)).toEqual({ kind: 'run', command, invocation: { ...defaults, ...expected } });
  });
});

describe('what is not run', () => {
  test.each([
    ['', { kind: 'help', topic: undefined }],
    ['--help', { kind: 'help', topic: undefined }],
    ['help', { kind: 'help', topic: undefined }],
    ['help stop', { kind: 'help', topic: 'stop' }],
    ['run one --help', { kind: 'help', topic: 'run' }],
    ['pm2 --help', { kind: 'help', topic: 'pm2' }],
    ['pm2 -h', { kind: 'help', topic: 'pm2' }],
    ['start -h', { kind: 'help', topic: 'start' }],
    ['--version', { kind: 'version' }],
    ['-v', { kind: 'version' }],
    ['-V', { kind: 'version' }],
    ['run one -q -h', { kind: 'help', topic: 'run' }],
  ])('%s', async (line, expected) => {
    expect(await parse(line)).toEqual(expected);
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
    ['logs --since soon', '--since takes a span like 30m, 2h or 1d, or a time like 2026-11-20T09:00, not "soon"'],
    ['logs -n many', '--lines takes a number, not "many"'],
    ['test', './manage test needs the name of an instance, or "all"'],
    ['test kimi --timeout soon', '--timeout takes a number of seconds, not "soon"'],
    ['test kimi --timeout=0', '--timeout takes a number of seconds, not "0"'],
    ['logs --lines=-1', '--lines takes a number, not "-1"'],
    ['add', './manage add needs one provider'],
    ['add openai groq', './manage add takes one provider, not 2'],
    ['remove', './manage remove needs the name of one instance'],
    ['list work', './manage list takes no names'],
    ['add openai --port 0', '--port takes a number from 1 to 65535, not "0"'],
    ['add openai --port 80a', '--port takes a number from 1 to 65535, not "80a"'],
    ['add openai --key sk-1', './manage add has no option --key'],
    ['usage --days 0', '--days takes a number from 1 to 36500, not "0"'],
    [
      'usage --by modell',
      '--by takes day, model, instance, provider, session, project, intent, client, side, not "modell"; did you mean "model"?',
    ],
    ['run', './manage run needs the name of one instance'],
    ['run all', './manage run takes the name of one instance, not "all"'],
    [
      'run one two',
      './manage run takes the name of one instance, not 2; put arguments for the other program after --: ./manage run one -- two',
    ],
    ['run -p one', './manage run has no option -p; put arguments for the other program after --'],
    ['ps', 'there is no command "ps"; here it is: ./manage status'],
    ['up', 'there is no command "up"; here it is: ./manage start'],
    ['help ls', 'there is no command "ls"; here it is: ./manage list'],
    ['help start stop', './manage help takes one command, not 2'],
    ['env one --shell bsh', '--shell takes bash, zsh, fish, powershell, not "bsh"; did you mean "bash"?'],
    ['completion', './manage completion needs one of bash, zsh, fish'],
    ['completion csh', './manage completion takes one of bash, zsh, fish, not "csh"; did you mean "zsh"?'],
    [
      'service instal',
      './manage service takes one of install, uninstall, status, not "instal"; did you mean "install"?',
    ],
    ['unuse one', './manage unuse takes no names'],
    ['usage --json --csv', '--json and --csv exclude each other'],
  ])('usage: %s', async (line, message) => {
    expect(await parse(line)).toMatchObject({ kind: 'usage', message });
  });

  test.each([
    ['stauts', undefined],
    ['--verbose', undefined],
    ['help strt', undefined],
    ['start kimi --jsno', 'start'],
    ['logs --since soon', 'logs'],
    ['service instal', 'service'],
    ['run', 'run'],
  ])('usage: %s points to the help of the command that was meant', async (line, topic) => {
    expect(await parse(line)).toMatchObject({ kind: 'usage', topic });
  });
});

test('the general help names every command, and fits a terminal of 80 columns and 24 rows with its prompt', async () => {
  const lines = (await helpText(undefined, commandTable, 80)).split('\n');
  for (const [name] of commands) expect(lines.join(' ')).toMatch(new RegExp(`[ ,]${name}[ ,]`));
  expect(lines.length).toBeLessThanOrEqual(23);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  for (const group of ['Set up', 'Run', 'Watch', 'Repair']) expect(lines).toContain(group);
});

test('a command that no group has is named nevertheless', async () => {
  expect(await helpText(undefined, { ...commandTable, brandnew: commandTable.stop }, 80)).toContain('brandnew');
});

test('each help begins with what the command does, and its examples', async () => {
  for (const [name, { usage, summary, examples }] of commands) {
    const help = await helpText(name, commandTable);
    const [first, empty, second] = help.split('\n');
    expect([first?.toLowerCase(), empty, second]).toEqual([`${summary}.`.toLowerCase(), '', 'Examples']);
    expect(help).toContain(`\n\nUsage: ./manage ${usage}\n\nOptions\n`);
    for (const [example] of examples) expect(help).toContain(example);
  }
});

test.each([60, 80, 120])('no line of a help is wider than %d columns, but for what has to be pasted', async (width) => {
  for (const [name] of commands) {
    const lines = (await helpText(name, commandTable, width)).split('\n');
    expect(lines.filter((line) => line.length > width && !line.includes('./manage'))).toEqual([]);
  }
});

test('every example of the help can be parsed', async () => {
  for (const [, { examples }] of commands) {
    for (const [example] of examples) {
      // Without what belongs to the shell around it.
      const line = /\.\/manage ([^()<>|;&"]*)/.exec(example)?.[1] ?? '';
      expect((await parse(line)).kind, example).not.toBe('usage');
    }
  }
});

test('each command is in the table by the name with which its usage begins', () => {
  for (const [name, { usage }] of commands) expect(usage.split(' ')[0]).toBe(name);
});
