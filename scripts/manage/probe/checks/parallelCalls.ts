import { askFor, type FullCheck } from '../fullCheck.ts';
import { fail, failOf, ok, quirk, said, warn } from '../verdict.ts';
import { commandsOf, SHELL_TOOL } from './shellTool.ts';

function isEchoOf(command: string, word: string): boolean {
  return new RegExp(`^echo\\s+["']?${word}["']?$`).test(command);
}

/** Two calls of one answer arrive as two. */
export const parallelCalls: FullCheck = {
  name: 'parallel calls',
  turns: [
    () =>
      askFor(
        'Use the tool twice in this one turn, with two calls at the same time: run `echo one` and run `echo two`',
        {
          tools: [SHELL_TOOL],
        },
      ),
  ],
  judge: (answer) => {
    const { error, toolUses } = answer;
    if (error !== undefined) {
      return /parallel/i.test(error.message) ? failOf(error, quirk('parallelToolCalls', 'false')) : failOf(error);
    }
    const commands = commandsOf(answer);
    const isWhole = ['one', 'two'].every((word) => commands.some((command) => isEchoOf(command, word)));
    const isDistinct = new Set(toolUses.map(({ id }) => id)).size === toolUses.length;
    if (commands.length > 1 && !isDistinct) return fail('two calls with the same id');
    if (commands.length === 2 && isWhole) return ok('2 calls in one answer');
    if (commands.length === 1) return warn('one call only: tools work one after the other');
    if (commands.length === 0) return warn(`no tool call: ${said(answer)}`);
    return fail(`calls that were not asked for: ${commands.join('; ').slice(0, 80)}`, quirk('toolArgs', 'buffer'));
  },
};
