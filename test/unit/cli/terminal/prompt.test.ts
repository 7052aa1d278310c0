import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPrompter, type Prompter } from '../../../../src/cli/terminal/prompt.ts';
import { CapturedOutput } from '../../../helpers/captureOutput.ts';

/** A keyboard that notes whether the terminal's echo is off. */
class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}

let keyboard: Keyboard;
let screen: CapturedOutput;
let prompter: Prompter;

beforeEach(() => {
  keyboard = new Keyboard();
  screen = new CapturedOutput();
  const found = createPrompter(keyboard, Object.assign(screen, { isTTY: true }));
  if (found === undefined) throw new Error('no prompter');
  prompter = found;
});

test('there is none without a terminal on both sides', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  expect(createPrompter(terminal, new PassThrough())).toBeUndefined();
  expect(createPrompter(new PassThrough(), terminal)).toBeUndefined();
});

test('an answer is shown as it is typed, and given without blanks around it', async () => {
  const answer = prompter.ask('Name: ');
  keyboard.write(' work \r');
  expect(await answer).toBe('work');
  expect(screen.text).toContain('Name: ');
  expect(screen.text).toContain('work');
});

describe('a hidden answer', () => {
  test('is never shown, also while it is corrected, and the echo comes back', async () => {
    const answer = prompter.askHidden('Key: ');
    expect(keyboard.isRaw).toBe(true);
    keyboard.write('sk-secret-x\u007f');
    keyboard.write('1234\r');
    expect(await answer).toBe('sk-secret-1234');
    expect(screen.text).toBe('Key: \n');
    expect(keyboard.isRaw).toBe(false);
  });

  test.each([
    ['Ctrl-C', 'sk-half\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s leaves at once with 130, and the echo comes back', async (_name, typed) => {
    const answer = prompter.askHidden('Key: ');
    keyboard.write(typed);
    await expect(answer).rejects.toMatchObject({ name: 'Failure', exitCode: 130 });
    expect(keyboard.isRaw).toBe(false);
    expect(screen.text).not.toContain('half');
  });
});

test('the end of the terminal is no answer', async () => {
  const answer = prompter.ask('Name: ');
  keyboard.end();
  await expect(answer).rejects.toMatchObject({ exitCode: 130 });
});

describe('yes or no', () => {
  test.each([
    ['y', true],
    ['YES', true],
    ['n', false],
    ['', false],
  ])('"%s" is %s', async (typed, expected) => {
    const answer = prompter.confirm('Sure?');
    keyboard.write(`${typed}\r`);
    expect(await answer).toBe(expected);
    expect(screen.text).toContain('Sure? [y/N] ');
  });

  test('Enter means yes where that is said', async () => {
    const answer = prompter.confirm('Again?', 'yes');
    keyboard.write('\r');
    expect(await answer).toBe(true);
  });

  test('anything else is asked again', async () => {
    const answer = prompter.confirm('Sure?');
    keyboard.write('perhaps\r');
    await expect.poll(() => screen.text.split('Sure?').length).toBeGreaterThan(2);
    keyboard.write('y\r');
    expect(await answer).toBe(true);
  });
});
