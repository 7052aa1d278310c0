import type { Answer } from '../answer.ts';
import { askFor, type FullCheck } from '../fullCheck.ts';
import { failOf, ok, quirk, said, type Verdict, warn } from '../verdict.ts';
import { SHELL_TOOL } from './shellTool.ts';

const QUESTION = 'Think first: how much is 17 times 23? Then use the tool: run `echo 391`';
const FIELDS = { tools: [SHELL_TOOL], thinking: { type: 'enabled', budget_tokens: 1024 } };

/** The lines that may help a provider which refuses the history of a conversation with reasoning. */
function replayQuirks(message: string): string[] {
  if (/signature/i.test(message)) return [quirk('thoughtSignature', 'true')];
  return /reasoning/i.test(message)
    ? [quirk('reasoningReplay', 'reasoning_content'), quirk('reasoningRequired', 'placeholder')]
    : [];
}

function judgeReplay(first: Answer, last: Answer): Verdict {
  if (last.error !== undefined) {
    const refused = failOf(last.error, ...replayQuirks(last.error.message));
    return { ...refused, detail: `refused in the second turn: ${refused.detail}` };
  }
  if (first.thinking === '') return warn('no thinking arrived; the model may have none, or hide it');
  return first === last
    ? warn(`thinking arrived, but no tool call to go on from: ${said(first)}`)
    : ok(`thinking arrived, and was taken back with a tool result`);
}

/** Reasoning arrives as thinking, and the provider takes it back in the turn after a tool call. */
export const reasoning: FullCheck = {
  name: 'reasoning',
  skip: ({ settings }) => (settings.reasoningStyle === 'none' ? 'the provider is not asked for reasoning' : undefined),
  turns: [
    () => askFor(QUESTION, FIELDS),
    ([first]) => {
      if (first === undefined || first.toolUses.length === 0) return undefined;
      const results = first.toolUses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '391' }));
      return askFor(QUESTION, {
        ...FIELDS,
        messages: [
          { role: 'user', content: QUESTION },
          { role: 'assistant', content: [...first.content] },
          { role: 'user', content: results },
        ],
      });
    },
  ],
  judge: (first, last, { settings }) => {
    const { error } = first;
    if (error === undefined) return judgeReplay(first, last);
    const isRefused = settings.reasoningStyle !== 'none' && /reasoning|thinking|effort/i.test(error.message);
    return isRefused ? failOf(error, quirk('reasoningStyle', 'none')) : failOf(error);
  },
};
