/** How a tool call is written in the model's text: the server reads it out of there. */
const call = (name: string, input: Readonly<Record<string, string>>): string =>
  `<tool_call>\n{"name": "${name}", "arguments": ${JSON.stringify(input)}}\n</tool_call>`;

const think = (thoughts: string): string => `<think>\n${thoughts}\n</think>\n\n`;

export interface Script {
  readonly text: string;
  /** Whether it begins again at its end, until the server stops it. */
  readonly endless?: true;
  /** The script that is played in its place when the request turns thinking off. */
  readonly withoutThinking?: string;
}

/**
 * What the model answers. A user message with `#NAME` gets the script of that name, any other one `hello`, and the results of
 * tools get `done`.
 */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  hello: { text: 'Hello from the real server — café 😀.' },
  done: { text: 'The tool has answered, so this is the end of it.' },
  think: {
    text: `${think('Let me reason about that for a while.')}The answer is forty-two.`,
    withoutThinking: 'plain',
  },
  plain: { text: 'The answer, without thinking, is forty-two.' },
  thinkcall: {
    text: `${think('I need the shell.')}Calling it.\n${call('Bash', { command: 'pwd', description: 'Where am I' })}`,
  },
  bash: { text: call('Bash', { command: 'echo hi-from-the-model', description: 'Say hi' }) },
  weather: { text: call('get_weather', { city: 'Łódź' }) },
  twice: { text: `${call('get_weather', { city: 'Berlin' })}\n${call('get_weather', { city: 'Rome' })}` },
  pair: {
    text: `${call('Read', { file_path: '/etc/hostname' })}\n${call('Bash', { command: 'uname', description: 'System' })}`,
  },
  stop: { text: 'alpha beta STOP HERE gamma delta' },
  endless: { text: 'one two three four five six seven eight nine ten\n', endless: true },
};

/** The pieces in which a script leaves the model: words with the space before them, and the beginning of a call as one. */
export const piecesOf = (script: Script): readonly string[] =>
  script.text.match(/\s*(?:<tool_call>\s*\S+\s*)?\S+|\s+$/gu) ?? [];
