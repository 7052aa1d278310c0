import { crc32, deflateSync } from 'node:zlib';
import { asString, type JsonObject, parseObject } from '../../core/json.ts';
import type { Answer } from './messagesClient.ts';
import {
  describeReply,
  describeSight,
  fail,
  failFromError,
  ok,
  quirk,
  skipped,
  type TestedModel,
  type TestResult,
  type TestRow,
  testRow,
  warn,
} from './testResult.ts';

/** One check of `test --full`, as data and pure functions: what is sent, and what the answers mean. */
export interface FullCheck {
  readonly name: string;
  /** Why it is not made with this model; undefined when it is made. */
  readonly skip?: (model: TestedModel) => string | undefined;
  /**
   * The messages requests, without model and stream, one after the other. Each knows the answers before it; undefined ends
   * the check early, as does an error.
   */
  readonly turns: readonly ((answers: readonly Answer[], model: TestedModel) => JsonObject | undefined)[];
  /** Never called without an answer. */
  readonly evaluate: (first: Answer, last: Answer, model: TestedModel) => TestResult;
}

/** Enough for models that think before each answer and cannot be kept from it. */
export const MAX_TOKENS = 4000;

/** A message of the user, with further fields of the request. */
export function userMessage(text: string, fields: JsonObject = {}): JsonObject {
  return { max_tokens: MAX_TOKENS, messages: [{ role: 'user', content: text }], ...fields };
}

/** Makes one check of `test --full`: its turns one after the other until one fails, then the evaluation. */
export async function runFullCheck(
  { name, skip, turns, evaluate }: FullCheck,
  model: TestedModel,
  ask: (fields: JsonObject) => Promise<Answer>,
): Promise<TestRow> {
  const reason = skip?.(model);
  if (reason !== undefined) return testRow(name, skipped(reason));
  const answers: Answer[] = [];
  for (const turn of turns) {
    const fields = turn(answers, model);
    if (fields === undefined || answers.at(-1)?.error !== undefined) break;
    answers.push(await ask(fields));
  }
  const [first, last] = [answers[0], answers.at(-1)];
  if (first === undefined || last === undefined) return testRow(name, skipped('there is nothing to ask'));
  const totalMs = answers.reduce((sum, answer) => sum + answer.totalMs, 0);
  return testRow(name, evaluate(first, last, model), totalMs);
}

const SIDE = 64;
const RED = [0xff, 0, 0] as const;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_PER_CHANNEL = 8;
const COLOUR_TYPE_RGB = 2;

/** One chunk of a PNG: length, type, data, checksum. */
function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, checksum]);
}

/** A red square as a PNG, large enough for providers that refuse very small images; base64. */
export function redSquare(): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([BITS_PER_CHANNEL, COLOUR_TYPE_RGB], 8);
  const row = [0, ...Array.from({ length: SIDE }, () => RED).flat()];
  const pixels = Buffer.from(Array.from({ length: SIDE }, () => row).flat());
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]).toString('base64');
}

/** About 5,000 tokens, above the smallest prompt that the known providers cache, and the same each time. */
const LINES = 300;
const MANUAL = Array.from(
  { length: LINES },
  (_, index) => `Rule ${index + 1}: a request with the number ${index * 7} goes to shelf ${index % 12} of the archive.`,
).join('\n');

const request = () =>
  userMessage('Answer with one word: ready', {
    max_tokens: 16,
    // A session, as some find their cache by it.
    metadata: { user_id: '{"session_id":"manage-test"}' },
    system: [{ type: 'text', text: MANUAL, cache_control: { type: 'ephemeral' } }],
  });

/** The second of two equal prompts is counted as cached, which is what makes long sessions cheap. */
export const cachedTokens: FullCheck = {
  name: 'cached tokens',
  turns: [request, request],
  evaluate: (_first, last) => {
    if (last.error !== undefined) return failFromError(last.error);
    const { input, cacheRead, cacheWrite } = last.usage;
    const total = input + cacheRead + cacheWrite;
    if (cacheRead > 0) return ok(`${cacheRead} of ${total} input tokens came from the cache`);
    return warn(`none of ${total} input tokens was counted as cached: the provider does not cache, or does not say so`);
  },
};

const NO_VISION = quirk('vision', 'false');
const WHICH_COLOUR = { type: 'text', text: 'Which colour is this square? Answer with one English word.' };
const redImage = () => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: redSquare() } });
const skipBlind = ({ settings, vision }: TestedModel) =>
  settings.vision || vision !== undefined ? undefined : 'the model sees no images';

function evaluateColour(answer: Answer, quirkLine: string, { settings, vision }: TestedModel): TestResult {
  const help = settings.vision ? [quirkLine] : [];
  if (answer.error !== undefined) return failFromError(answer.error, ...help);
  if (/\bred\b/i.test(answer.text)) return ok(describeSight(settings.vision, vision));
  const failed = fail(`not red: ${describeReply(answer)}`, ...help);
  if (settings.vision) return failed;
  return { ...failed, suggestions: [`Whether ${vision} could be asked: ./manage logs NAME --errors`] };
}

/** The model sees an image. */
export const image: FullCheck = {
  name: 'image',
  skip: skipBlind,
  turns: [() => ({ max_tokens: MAX_TOKENS, messages: [{ role: 'user', content: [redImage(), WHICH_COLOUR] }] })],
  evaluate: (answer, _last, model) => evaluateColour(answer, NO_VISION, model),
};

/** The model sees an image that a tool has given, as one that Claude Code reads from a file. */
export const imageOfTool: FullCheck = {
  name: 'image of a tool',
  skip: skipBlind,
  turns: [
    () => ({
      max_tokens: MAX_TOKENS,
      tools: [SHELL_TOOL],
      messages: [
        { role: 'user', content: [{ ...WHICH_COLOUR, text: `Show square.png with the tool. ${WHICH_COLOUR.text}` }] },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'toolu_square', name: 'Bash', input: { command: 'cat square.png' } }],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_square', content: [redImage()] }] },
      ],
    }),
  ],
  evaluate: (answer, _last, model) =>
    evaluateColour(answer, quirk('toolImages', model.settings.toolImages === 'inline' ? 'after' : 'inline'), model),
};

/** One token of every known tokenizer. */
const WORD = 'a ';
/** So far above the window that it is refused before anything is computed, and so costs nothing. */
export const TIMES_WINDOW = 2;
/** For the rest of the request. */
const ENVELOPE_BYTES = 10_000;

/** Why no conversation that is too long is sent; undefined when one is. */
export function reasonToSkipOverflow({
  settings: { contextWindow },
  maxBodyBytes,
  isLocal,
}: TestedModel): string | undefined {
  if (contextWindow === undefined) return 'the context window is not known';
  if (isLocal) return 'a server of your own may compute it all';
  const bytes = contextWindow * TIMES_WINDOW * WORD.length + ENVELOPE_BYTES;
  return bytes > maxBodyBytes ? 'it would be larger than MAX_BODY_BYTES' : undefined;
}

/** A conversation that is too long gets the words at which Claude Code makes it shorter. */
export const overflow: FullCheck = {
  name: 'overflow',
  skip: reasonToSkipOverflow,
  turns: [
    (_answers, { settings }) =>
      userMessage(WORD.repeat((settings.contextWindow ?? 0) * TIMES_WINDOW), { max_tokens: 1 }),
  ],
  evaluate: ({ error, usage }) => {
    if (error === undefined) {
      const tokens = usage.input + usage.cacheRead + usage.cacheWrite;
      return warn(`the provider took ${tokens} tokens: its window is larger than is known, or it cuts silently`);
    }
    if (error.message.startsWith('prompt is too long')) return ok(`becomes “${error.message}”`);
    if (error.type === 'request_too_large') return ok('refused by its size, at which Claude Code compacts, too');
    if (error.type === 'rate_limit_error') return warn(`not known: ${error.message}`);
    return fail(`Claude Code will not understand this and not compact: ${error.message}`);
  },
};

/** The tool that Claude Code uses most, small. */
export const SHELL_TOOL: JsonObject = {
  name: 'Bash',
  description: 'Runs one shell command and gives its output.',
  input_schema: {
    type: 'object',
    properties: { command: { type: 'string', description: 'The command' } },
    required: ['command'],
  },
};

/** The commands that the model wants to run. */
export function commandsOf({ toolUses }: Answer): string[] {
  return toolUses
    .filter(({ name }) => name === SHELL_TOOL['name'])
    .map(({ input }) => asString(input['command'])?.trim() ?? '');
}

/** A tool call that was written into the text, in one of the forms that models are trained on. */
export function leaksToolCall({ text }: Answer): boolean {
  return /<tool_call|<function[=_]|<\|tool_call|\[TOOL_CALLS\]|"arguments"\s*:/i.test(text);
}

function isEchoOf(command: string, word: string): boolean {
  return new RegExp(`^echo\\s+["']?${word}["']?$`).test(command);
}

/** Two calls of one answer arrive as two. */
export const parallelCalls: FullCheck = {
  name: 'parallel calls',
  turns: [
    () =>
      userMessage('Use the tool twice in this one turn, with two calls at once: run `echo one` and run `echo two`', {
        tools: [SHELL_TOOL],
      }),
  ],
  evaluate: (answer) => {
    const { error, toolUses } = answer;
    if (error !== undefined) {
      return /parallel/i.test(error.message)
        ? failFromError(error, quirk('parallelToolCalls', 'false'))
        : failFromError(error);
    }
    const commands = commandsOf(answer);
    const isWhole = ['one', 'two'].every((word) => commands.some((command) => isEchoOf(command, word)));
    const isDistinct = new Set(toolUses.map(({ id }) => id)).size === toolUses.length;
    if (commands.length > 1 && !isDistinct) return fail('two calls with the same id');
    if (commands.length === 2 && isWhole) return ok('2 calls in one answer');
    if (commands.length === 1) return warn('one call only: tools work one after the other');
    if (commands.length === 0) return warn(`no tool call: ${describeReply(answer)}`);
    return fail(`calls that were not asked for: ${commands.join('; ').slice(0, 80)}`, quirk('toolArgs', 'buffer'));
  },
};

const QUESTION = 'Think first: how much is 17 times 23? Then use the tool: run `echo 391`';
const FIELDS = { tools: [SHELL_TOOL], thinking: { type: 'enabled', budget_tokens: 1024 } };

/** The lines that may help a provider which refuses the history of a conversation with reasoning. */
function replayQuirks(message: string): string[] {
  if (/signature/i.test(message)) return [quirk('thoughtSignature', 'true')];
  return /reasoning/i.test(message)
    ? [quirk('reasoningReplay', 'reasoning_content'), quirk('reasoningRequired', 'placeholder')]
    : [];
}

function evaluateReplay(first: Answer, last: Answer): TestResult {
  if (last.error !== undefined) {
    const refused = failFromError(last.error, ...replayQuirks(last.error.message));
    return { ...refused, detail: `refused in the second turn: ${refused.detail}` };
  }
  if (!first.content.some(({ type }) => type === 'thinking')) {
    return warn('no thinking arrived; the model may have none, or hide it');
  }
  const arrived = first.thinking === '' ? 'thinking arrived without words' : 'thinking arrived';
  return first === last
    ? warn(`${arrived}, but no tool call to go on from: ${describeReply(first)}`)
    : ok(`${arrived}, and was taken back with a tool result`);
}

/** Reasoning arrives as thinking, and the provider takes it back in the turn after a tool call. */
export const reasoning: FullCheck = {
  name: 'reasoning',
  skip: ({ settings }) =>
    settings.reasoningStyle === 'none' || settings.reasoningStyle === 'effort_off'
      ? 'the provider is not asked for reasoning'
      : undefined,
  turns: [
    () => userMessage(QUESTION, FIELDS),
    ([first]) => {
      if (first === undefined || first.toolUses.length === 0) return undefined;
      const results = first.toolUses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '391' }));
      return userMessage(QUESTION, {
        ...FIELDS,
        messages: [
          { role: 'user', content: QUESTION },
          { role: 'assistant', content: [...first.content] },
          { role: 'user', content: results },
        ],
      });
    },
  ],
  evaluate: (first, last, { settings }) => {
    const { error } = first;
    if (error === undefined) return evaluateReplay(first, last);
    const isRefused = settings.reasoningStyle !== 'none' && /reasoning|thinking|effort/i.test(error.message);
    return isRefused ? failFromError(error, quirk('reasoningStyle', 'none')) : failFromError(error);
  },
};

const MATCHED_HERE = [quirk('stopMax', '0'), quirk('localStop', 'true')];

/** The answer ends before a stop sequence. */
export const stopSequence: FullCheck = {
  name: 'stop sequence',
  turns: [
    () =>
      userMessage('Repeat these words and nothing else: alpha bravo charlie delta', { stop_sequences: ['charlie'] }),
  ],
  evaluate: (answer) => {
    const { error, text, stopReason } = answer;
    if (error !== undefined)
      return /\bstop/i.test(error.message) ? failFromError(error, ...MATCHED_HERE) : failFromError(error);
    if (/charlie|delta/i.test(text)) return fail('the answer went on', ...MATCHED_HERE);
    if (!/bravo/i.test(text)) return warn(`not known: ${describeReply(answer)}`);
    return ok(stopReason === 'stop_sequence' ? 'stopped there' : 'stopped there; the provider does not say why');
  },
};

const SCHEMA = {
  type: 'object',
  properties: { animal: { type: 'string', enum: ['cat', 'dog'] }, legs: { type: 'integer' } },
  required: ['animal', 'legs'],
  additionalProperties: false,
};

/** The next weaker form of structured output. */
function weaker({ settings }: TestedModel): string {
  return quirk('jsonMode', settings.jsonMode === 'schema' ? 'object' : 'none');
}

/** An answer in JSON that fits a schema. */
export const structuredOutput: FullCheck = {
  name: 'structured output',
  skip: ({ settings }) => (settings.jsonMode === 'none' ? 'the provider has none' : undefined),
  turns: [
    () =>
      userMessage('A cat has four legs. Write it as JSON.', {
        output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      }),
  ],
  evaluate: (answer, _last, model) => {
    if (answer.error !== undefined) {
      const isRefused = /structured|json|response_format/i.test(answer.error.message);
      return isRefused ? failFromError(answer.error, weaker(model)) : failFromError(answer.error);
    }
    const { animal, legs } = parseObject(answer.text) ?? {};
    const fits = SCHEMA.properties.animal.enum.includes(String(animal)) && Number.isInteger(legs);
    return fits ? ok('fits the schema') : fail(`does not fit the schema: ${describeReply(answer)}`, weaker(model));
  },
};

/** A tool call arrives as one, with the argument that was asked for. */
export const toolCall: FullCheck = {
  name: 'tool call',
  turns: [() => userMessage('Use the tool: run `echo ready`', { tools: [SHELL_TOOL] })],
  evaluate: (answer) => {
    const { error, toolUses, stopReason } = answer;
    if (error !== undefined) {
      return /tool_choice/i.test(error.message)
        ? failFromError(error, quirk('toolChoice', 'auto'))
        : failFromError(error);
    }
    if (toolUses.length === 0) {
      return leaksToolCall(answer)
        ? fail('the call stands in the text', quirk('toolText', 'true'))
        : fail(`no tool call: ${describeReply(answer)}`);
    }
    const [command] = commandsOf(answer);
    if (command === undefined) return fail(`a call of a tool that does not exist: ${toolUses[0]?.name}`);
    if (command === '') return fail('the argument did not arrive', quirk('toolArgs', 'buffer'));
    if (!/echo\s+["']?ready/.test(command)) return warn(`a call, but with another argument: ${command.slice(0, 60)}`);
    return stopReason === 'tool_use' ? ok('argument correct') : fail(`the answer stopped with ${stopReason}`);
  },
};

/** What `test --full` adds, in the order in which it is made and shown. */
export const fullChecks: readonly FullCheck[] = [
  toolCall,
  parallelCalls,
  image,
  imageOfTool,
  reasoning,
  cachedTokens,
  stopSequence,
  structuredOutput,
  overflow,
];
