import { asString, type JsonObject } from '../../../../src/core/json.ts';
import type { Answer } from '../answer.ts';

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
