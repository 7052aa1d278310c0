import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
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

/** Types once the question is there, as the library behind it is loaded with the first one. */
async function type(question: string, keys: string): Promise<void> {
  await expect.poll(() => screen.text).toContain(question);
  keyboard.write(keys);
}

/** What was shown, without colours and movements of the cursor. */
const shown = () => stripVTControlCharacters(screen.text);

test('an answer is shown as it is typed, and given without blanks around it', async () => {
  const answer = prompter.ask('Which name?');
  await type('Which name?', ' work \r');
  expect(await answer).toBe('work');
  expect(shown()).toContain('work');
});

test('an example is shown, and Enter alone means what is said', async () => {
  const answer = prompter.ask('Which port?', { example: '8080', fallback: '8080' });
  await type('Which port?', '\r');
  expect(await answer).toBe('8080');
});

test('a wrong answer is asked for again, with the reason', async () => {
  const answer = prompter.ask('Which name?', { check: (name) => (name === 'foo' ? 'foo is taken' : undefined) });
  await type('Which name?', 'foo\r');
  await expect.poll(shown).toContain('foo is taken');
  keyboard.write('\u0015bar\r');
  expect(await answer).toBe('bar');
});

test('an answer is needed where nothing else is said', async () => {
  const answer = prompter.ask('Which name?');
  await type('Which name?', '\r');
  await expect.poll(shown).toContain('An answer is needed here.');
  keyboard.write('work\r');
  expect(await answer).toBe('work');
});

describe('a hidden answer', () => {
  test('is never shown, also while it is corrected, and the echo comes back', async () => {
    const answer = prompter.askHidden('Which key?');
    await type('Which key?', 'sk-secret-x\u007f');
    expect(keyboard.isRaw).toBe(true);
    keyboard.write('1234\r');
    expect(await answer).toBe('sk-secret-1234');
    expect(shown()).not.toMatch(/secret|1234/);
    expect(keyboard.isRaw).toBe(false);
  });

  test('may be empty', async () => {
    const answer = prompter.askHidden('Which key?');
    await type('Which key?', '\r');
    expect(await answer).toBe('');
  });

  test.each([
    ['Ctrl-C', 'sk-half\u0003'],
    ['Ctrl-D', '\u0004'],
    ['Ctrl-D in the middle', 'sk-half\u0004'],
  ])('%s leaves at once with 130, and the echo comes back', async (_name, typed) => {
    const answer = prompter.askHidden('Which key?');
    const left = expect(answer).rejects.toMatchObject({ name: 'Failure', exitCode: 130 });
    await type('Which key?', typed);
    await left;
    expect(keyboard.isRaw).toBe(false);
    expect(screen.text).not.toContain('half');
  });
});

describe('a choice', () => {
  const choices = ['kimi', 'glm-coding', 'glm', 'groq', 'custom'].map((value) => ({ value, label: `the ${value}` }));

  test.each([
    ['Enter takes the first', '\r', 'kimi'],
    ['the arrow key the next', '\u001b[B\r', 'glm-coding'],
    ['what is called so goes before what begins so', 'glm\r', 'glm'],
    ['a part of the name is enough', 'oq\r', 'groq'],
  ])('%s', async (_what, keys, expected) => {
    const answer = prompter.choose('Which one?', choices);
    await type('Which one?', keys);
    expect(await answer).toBe(expected);
  });

  test('offers the common ones first, all others behind the last line or by typing', async () => {
    const typed = prompter.choose('Which one?', choices, 2);
    await type('Which one?', 'cust\r');
    expect(await typed).toBe('custom');
    const chosen = prompter.choose('Which of them?', choices, 2);
    await type('Which of them?', '\u001b[A');
    await expect.poll(shown).toContain('3 more ...');
    expect(shown()).not.toContain('the groq');
    keyboard.write('\r');
    await expect.poll(shown).toContain('the groq');
    keyboard.write('\r');
    expect(await chosen).toBe('kimi');
  });

  test('of nothing is asked again', async () => {
    const answer = prompter.choose('Which one?', choices);
    await type('Which one?', 'europe\r');
    await expect.poll(shown).toContain('Nothing is called so');
    keyboard.write('\u0015kimi\r');
    expect(await answer).toBe('kimi');
  });
});

test('the end of the terminal is no answer', async () => {
  const answer = expect(prompter.ask('Which name?')).rejects.toMatchObject({ exitCode: 130 });
  await expect.poll(() => screen.text).toContain('Which name?');
  keyboard.end();
  await answer;
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
