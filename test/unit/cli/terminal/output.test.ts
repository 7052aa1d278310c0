import { describe, expect, onTestFinished, test, vi } from 'vitest';
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
  const output = createOutput({
    ...streams,
    quiet: false,
    colour: false,
    program: "'/a b/$&/manage'",
    term: undefined,
  });
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

describe('while something goes on', () => {
  const terminal = () => Object.assign(new CapturedOutput(), { isTTY: true, columns: 40 });
  const outputOn = (stderr: CapturedOutput, quiet = false, term = 'xterm') =>
    createOutput({
      stdout: new CapturedOutput() as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
      quiet,
      colour: false,
      program: './manage',
      term,
    });

  test('a sign moves on a terminal, messages stand above it, and nothing of it stays', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const stderr = terminal();
    const output = outputOn(stderr);
    const { promise, resolve } = Promise.withResolvers<string>();
    const waited = output.wait('starting one', promise);
    await vi.advanceTimersByTimeAsync(1500);
    const clear = '\r\u001b[K';
    const shown = () => stderr.text.replaceAll(clear, '<clear>');
    expect(shown()).toMatch(/<clear>[|/\\-] starting one \.\.\. 1 s$/);
    output.say('one up');
    expect(shown()).toMatch(/1 s<clear>one up\n$/);
    await vi.advanceTimersByTimeAsync(200);
    resolve('done');
    expect(await waited).toBe('done');
    expect(shown()).toMatch(/one up\n<clear>[|/\\-] starting one .*<clear>$/);
  });

  test.each([
    ['a pipe', new CapturedOutput(), false, 'xterm'],
    ['--quiet', terminal(), true, 'xterm'],
    ['a terminal that cannot', terminal(), false, 'dumb'],
  ])('nothing moves for %s', async (_what, stderr, quiet, term) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { promise, resolve } = Promise.withResolvers<void>();
    const waited = outputOn(stderr, quiet, term).wait('starting one', promise);
    await vi.advanceTimersByTimeAsync(1500);
    resolve();
    await waited;
    expect(stderr.text).toBe('');
  });
});
