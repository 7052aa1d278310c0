import { askFor, type FullCheck } from '../fullCheck.ts';
import { fail, failOf, ok, quirk, said, warn } from '../verdict.ts';
import { commandsOf, leaksToolCall, SHELL_TOOL } from './shellTool.ts';

/** A tool call arrives as one, with the argument that was asked for. */
export const toolCall: FullCheck = {
  name: 'tool call',
  turns: [() => askFor('Use the tool: run `echo ready`', { tools: [SHELL_TOOL] })],
  judge: (answer) => {
    const { error, toolUses, stopReason } = answer;
    if (error !== undefined) {
      return /tool_choice/i.test(error.message) ? failOf(error, quirk('toolChoice', 'auto')) : failOf(error);
    }
    if (toolUses.length === 0) {
      return leaksToolCall(answer)
        ? fail('the call stands in the text', quirk('toolText', 'true'))
        : fail(`no tool call: ${said(answer)}`);
    }
    const [command] = commandsOf(answer);
    if (command === undefined) return fail(`a call of a tool that does not exist: ${toolUses[0]?.name}`);
    if (command === '') return fail('the argument did not arrive', quirk('toolArgs', 'buffer'));
    if (!/echo\s+["']?ready/.test(command)) return warn(`a call, but with another argument: ${command.slice(0, 60)}`);
    return stopReason === 'tool_use' ? ok('argument correct') : fail(`the answer stopped with ${stopReason}`);
  },
};
