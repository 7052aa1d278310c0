import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { exitCodes, Failure } from '../exitCodes.ts';

/** Asks the user at the terminal, one line at a time. A question that is left with Ctrl-C or Ctrl-D throws a Failure (interrupted). */
export interface Prompter {
  ask(question: string): Promise<string>;
  /** What is typed is not shown. */
  askHidden(question: string): Promise<string>;
  /** Asks until the answer is yes or no; `enter` is what Enter alone means: no, unless given. */
  confirm(question: string, enter?: 'yes' | 'no'): Promise<boolean>;
}

interface Terminal {
  readonly isTTY?: boolean;
}

/** A prompter for these streams; undefined unless both are a terminal. */
export function createPrompter(
  input: NodeJS.ReadableStream & Terminal,
  output: NodeJS.WritableStream & Terminal,
): Prompter | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;

  // readline switches the terminal's own echo off and, however the question ends, on again.
  const readLine = (question: string, isHidden: boolean) =>
    new Promise<string>((resolve, reject) => {
      const shown = isHidden ? new Writable({ write: (_text, _encoding, done) => done() }) : output;
      const reader = createInterface({ input, output: shown, terminal: true, historySize: 0 });
      reader.once('line', (line) => {
        resolve(line.trim());
        reader.close();
      });
      reader.once('SIGINT', () => reader.close());
      reader.once('close', () => {
        if (isHidden) output.write('\n');
        reject(new Failure('left; nothing is done', exitCodes.interrupted));
      });
      if (isHidden) output.write(question);
      reader.setPrompt(question);
      reader.prompt();
    });

  const ask = (question: string) => readLine(question, false);
  return {
    ask,
    askHidden: (question) => readLine(question, true),
    confirm: async (question, enter = 'no') => {
      const choice = enter === 'yes' ? '[Y/n]' : '[y/N]';
      for (;;) {
        const answer = (await ask(`${question} ${choice} `)).toLowerCase() || enter;
        if (['y', 'yes'].includes(answer)) return true;
        if (['n', 'no'].includes(answer)) return false;
      }
    },
  };
}

/** Longer than any key: something else was piped in. */
const MAX_LENGTH = 10_000;

/**
 * A secret from stdin, without the line end.
 * @param option The option that asked for it, for messages.
 * @throws Failure (usage) for a terminal, which would show what is typed, and for what cannot be a secret.
 */
export async function readSecretFromStdin(stdin: NodeJS.ReadStream, option = '--key-stdin'): Promise<string> {
  if (stdin.isTTY) throw new Failure(`${option} reads a pipe or a file: ... ${option} < FILE`, exitCodes.usage);
  let text = '';
  for await (const part of stdin.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_LENGTH) break;
  }
  const secret = text.trim();
  if (secret === '' || secret.length > MAX_LENGTH || /\s/.test(secret)) {
    throw new Failure(`${option}: stdin does not hold one key`, exitCodes.usage);
  }
  return secret;
}
