import { createInterface, emitKeypressEvents } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { exitCodes, Failure } from '../exitCodes.ts';

/** What an answer has to be. */
export interface AnswerRules {
  /** Shown while nothing is typed. */
  readonly example?: string;
  /** What Enter alone means; without it an answer is needed. */
  readonly fallback?: string;
  /** Says what is wrong with an answer, which is then asked for again; undefined when it is right. */
  readonly check?: (answer: string) => string | undefined;
}

/** One of several answers. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  /** Other words by which it is found. */
  readonly words?: readonly string[];
}

/** Asks the user at the terminal. A question that is left with Ctrl-C, Ctrl-D or Escape throws a Failure (interrupted). */
export interface Prompter {
  ask(question: string, rules?: AnswerRules): Promise<string>;
  /** What is typed is not shown, but for a mark for each letter; Enter alone is an empty answer. */
  askHidden(question: string, check?: AnswerRules['check']): Promise<string>;
  /**
   * Lets the user choose by arrow keys, or by typing a part of it.
   * @param common how many are offered at first, before the others are asked for; all when absent
   */
  choose(question: string, choices: readonly Choice[], common?: number): Promise<string>;
  /** Asks until the answer is yes or no; `enter` is what Enter alone means: no, unless given. */
  confirm(question: string, enter?: 'yes' | 'no'): Promise<boolean>;
}

interface Terminal {
  readonly isTTY?: boolean;
}

const MORE = 'more';
const ROWS = 12;

/** A prompter for these streams; undefined unless both are a terminal. */
export function createPrompter(input: Readable & Terminal, output: Writable & Terminal): Prompter | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;

  /** Shows one question of the library, which is loaded only now; its own keys for leaving are Ctrl-C and Escape. */
  async function show<Answer>(
    build: (prompts: typeof import('@clack/prompts'), streams: PromptStreams) => Promise<Answer | symbol>,
  ): Promise<Answer> {
    const prompts = await import('@clack/prompts');
    const left = new AbortController();
    const leave = () => left.abort();
    const onKey = (_letter: unknown, key: { readonly name?: string; readonly ctrl?: boolean } | undefined) => {
      if (key?.ctrl === true && key.name === 'd') leave();
    };
    emitKeypressEvents(input);
    input.on('keypress', onKey).once('end', leave);
    try {
      const answer = await build(prompts, { input, output, signal: left.signal, withGuide: false });
      if (typeof answer === 'symbol') throw new Failure('Stopped; nothing was written.', exitCodes.interrupted);
      return answer;
    } finally {
      input.off('keypress', onKey).off('end', leave);
    }
  }

  const readLine = (question: string) =>
    new Promise<string>((resolve, reject) => {
      const reader = createInterface({ input, output, terminal: true, historySize: 0 });
      reader.once('line', (line) => {
        resolve(line.trim());
        reader.close();
      });
      reader.once('SIGINT', () => reader.close());
      reader.once('close', () => reject(new Failure('Stopped; nothing was done.', exitCodes.interrupted)));
      reader.setPrompt(question);
      reader.prompt();
    });

  return {
    ask: async (message, { example, fallback, check } = {}) => {
      const validate = (typed: string | undefined) => {
        const answer = typed?.trim() || fallback;
        return answer === undefined ? 'An answer is needed here.' : check?.(answer);
      };
      const answer = await show<string>(({ text }, streams) =>
        text({
          message,
          ...streams,
          ...(example === undefined ? {} : { placeholder: example }),
          ...(fallback === undefined ? {} : { defaultValue: fallback }),
          validate,
        }),
      );
      return answer.trim() || (fallback ?? '');
    },
    askHidden: async (message, check) => {
      const validate = (typed: string | undefined) => (typed?.trim() ? check?.(typed.trim()) : undefined);
      const answer = await show<string | undefined>(({ password }, streams) =>
        password({ message, ...streams, validate }),
      );
      return answer?.trim() ?? '';
    },
    choose: async (message, choices, common = choices.length) => {
      const offer = (least: number) =>
        show<string>(({ autocomplete }, streams) =>
          autocomplete({
            message,
            ...streams,
            maxItems: ROWS,
            options() {
              const found = findChoices(choices, this.userInput).map(({ value, label }) => ({ value, label }));
              const rest = choices.length - least;
              if (this.userInput.trim() !== '' || rest <= 0) return found;
              return [...found.slice(0, least), { value: MORE, label: `${rest} more ...` }];
            },
            filter: () => true,
            validate: (value) =>
              value === undefined ? 'Nothing is called so; delete letters to see more.' : undefined,
          }),
        );
      const answer = await offer(common);
      return answer === MORE ? offer(choices.length) : answer;
    },
    confirm: async (question, enter = 'no') => {
      const choice = enter === 'yes' ? '[Y/n]' : '[y/N]';
      for (;;) {
        const answer = (await readLine(`${question} ${choice} `)).toLowerCase() || enter;
        if (['y', 'yes'].includes(answer)) return true;
        if (['n', 'no'].includes(answer)) return false;
      }
    },
  };
}

interface PromptStreams {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
  readonly withGuide: boolean;
}

/** The choices in which the typed text stands, the best first: what is called so, then what begins so, the shorter before the longer. */
export function findChoices(choices: readonly Choice[], typed: string): readonly Choice[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') return choices;
  const rank = ({ value, words = [], label }: Choice) => {
    const names = [value, ...words].map((name) => name.toLowerCase());
    if (names.includes(wanted)) return 0;
    const [shortest] = names.filter((name) => name.startsWith(wanted)).sort((a, b) => a.length - b.length);
    if (shortest !== undefined) return shortest.length;
    return [...names, label.toLowerCase()].some((name) => name.includes(wanted)) ? Number.MAX_SAFE_INTEGER : undefined;
  };
  return choices
    .flatMap((choice) => {
      const place = rank(choice);
      return place === undefined ? [] : [{ choice, place }];
    })
    .sort((a, b) => a.place - b.place)
    .map(({ choice }) => choice);
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
