import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Requests of one kind of text, in order: the first to learn from, the others to be measured by. */
export interface Traffic {
  readonly kind: string;
  /** What the mean error after learning must be below. */
  readonly limit: number;
  readonly requests: readonly object[];
}

/** Requests to learn from, and as many afterwards, which share no text with them. */
export const LEARNED = 20;

const root = join(import.meta.dirname, '../../..');

function paragraphsOf(language: string): string[] {
  return readFileSync(join(import.meta.dirname, `corpus/${language}.txt`), 'utf8')
    .trim()
    .split('\n\n');
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));
}

const english = paragraphsOf('english');
const chinese = paragraphsOf('chinese');
const code = filesBelow('src', '.ts');
const data = filesBelow('test/golden/request', '.json');

const tools = [
  ['Read', 'file_path', 'offset', 'limit'],
  ['Bash', 'command', 'timeout', 'description', 'run_in_background'],
  ['Edit', 'file_path', 'old_string', 'new_string', 'replace_all'],
  ['Grep', 'pattern', 'path', 'glob', 'output_mode'],
  ['mcp__tracker__search_issues', 'query', 'owner', 'labels'],
].map(([name, ...fields], index) => ({
  name,
  description: english[index * 2],
  input_schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: Object.fromEntries(
      fields.map((field) => [field, { type: 'string', description: `The ${field} of the call` }]),
    ),
    required: fields.slice(0, 1),
    additionalProperties: false,
  },
}));

/** Chooses by a number sequence that is the same in every run, from one half of the texts or the other. */
class Chooser {
  #state = 20_261_120;
  /** 0 or 1: the half of the texts that is chosen from. */
  half = 0;

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (this.#state >>> 8) % limit;
  }

  oneOf(texts: readonly string[]): string {
    const middle = Math.ceil(texts.length / 2);
    const half = this.half === 0 ? texts.slice(0, middle) : texts.slice(middle);
    return half[this.below(half.length)] ?? '';
  }
}

function paragraphs(choose: Chooser, texts: readonly string[], most: number): string {
  return Array.from({ length: 1 + choose.below(most) }, () => choose.oneOf(texts)).join('\n\n');
}

function talk(choose: Chooser, texts: readonly string[]): object {
  const messages = Array.from({ length: 1 + 2 * choose.below(4) }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: paragraphs(choose, texts, 4),
  }));
  return { system: paragraphs(choose, texts, 3), messages };
}

/** A file with line numbers in front, as Claude Code's Read gives it. */
function numbered(text: string): string {
  return text
    .split('\n')
    .map((line, index) => `${String(index + 1).padStart(6)}→${line}`)
    .join('\n');
}

/** Calls and their results: what the tools work on is made by `material`, what is said between by `words`. */
function work(choose: Chooser, words: () => string, material: () => string): object {
  const messages: object[] = [{ role: 'user', content: words() }];
  const turns = 1 + choose.below(6);
  for (let turn = 0; turn < turns; turn += 1) {
    const [id, text] = [`toolu_${turn}`, material()];
    const input = {
      file_path: '/home/user/project/a.ts',
      old_string: text.slice(0, 300),
      new_string: text.slice(300, 700),
    };
    messages.push(
      {
        role: 'assistant',
        content: [
          { type: 'text', text: words() },
          { type: 'tool_use', id, name: 'Edit', input },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: numbered(text) }] },
    );
  }
  return { system: english.slice(0, 3).join('\n\n'), tools: tools.slice(0, 1 + choose.below(tools.length)), messages };
}

function codeOrData(choose: Chooser): string {
  return choose.oneOf(choose.below(3) === 0 ? data : code);
}

const kinds: Readonly<Record<string, (choose: Chooser) => object>> = {
  'English prose': (choose) => talk(choose, english),
  'code and JSON': (choose) =>
    work(
      choose,
      () => 'Go on.',
      () => codeOrData(choose),
    ),
  Chinese: (choose) => talk(choose, chinese),
  // Sessions in either language, about code and about texts of that language.
  mixed: (choose) => {
    const language = choose.below(2) === 0 ? chinese : english;
    return work(
      choose,
      () => paragraphs(choose, language, 2),
      () => (choose.below(3) === 0 ? paragraphs(choose, language, 8) : codeOrData(choose)),
    );
  },
};

/** Traffic of every kind, and at last a model that gets all kinds in turn. */
export function createTraffic(): Traffic[] {
  const single = Object.entries(kinds).map(([kind, create]): Traffic => {
    const choose = new Chooser();
    const requests = Array.from({ length: 2 * LEARNED }, (_, index) => {
      choose.half = index < LEARNED ? 0 : 1;
      return { model: 'm', max_tokens: 1000, ...create(choose) };
    });
    return { kind, limit: 0.05, requests };
  });
  const inTurn = Array.from(
    { length: 2 * LEARNED },
    (_, index) => single[index % single.length]?.requests[index] ?? {},
  );
  return [...single, { kind: 'all in turn', limit: 0.06, requests: inTurn }];
}
