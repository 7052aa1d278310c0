import { expect, test } from 'vitest';
import { createOutput, programWord } from '../../../../src/cli/terminal/output.ts';
import { CapturedOutput } from '../../../helpers/captureOutput.ts';

test.each([
  [undefined, './manage'],
  ['', './manage'],
  ['../claude-code-proxy/manage', '../claude-code-proxy/manage'],
  ['manage', 'manage'],
  ['/home/me/My Projects/manage', "'/home/me/My Projects/manage'"],
  ["/tmp/it's/$x/manage", "'/tmp/it'\\''s/$x/manage'"],
])('the manager called as %j is named %s', (calledAs, expected) => {
  expect(programWord(calledAs)).toBe(expected);
});

test('a hint names the manager as it was called, data stay as they are', () => {
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
  const streams = { stdout: stdout as unknown as NodeJS.WriteStream, stderr: stderr as unknown as NodeJS.WriteStream };
  const output = createOutput({ ...streams, quiet: false, colour: false, program: "'/a b/$&/manage'" });
  output.say('Use it: KEY=1 ./manage run a, or "./manage list" (not /x/./manage, not ./managed)');
  output.complain('./manage stop a');
  output.show('./manage help');
  output.print('./manage as data');
  const named = "'/a b/$&/manage'";
  expect(stderr.text).toBe(
    `Use it: KEY=1 ${named} run a, or "${named} list" (not /x/./manage, not ./managed)\n${named} stop a\n`,
  );
  expect(stdout.text).toBe(`${named} help\n./manage as data\n`);
});
