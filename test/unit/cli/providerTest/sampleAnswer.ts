import type { Answer } from '../../../../src/cli/providerTest/messagesClient.ts';
import type { TestedModel } from '../../../../src/cli/providerTest/testResult.ts';
import { defaultSettings, type QuirkSettings } from '../../../../src/quirks/settings.ts';

/** An answer that went well; what a test is about is changed. */
export function sampleAnswer(changes: Partial<Answer> = {}): Answer {
  return {
    error: undefined,
    content: [],
    text: '',
    thinking: '',
    toolUses: [],
    stopReason: 'end_turn',
    usage: { input: 10, cacheRead: 0, cacheWrite: 0, output: 20 },
    pieces: 3,
    firstPieceMs: 500,
    totalMs: 1500,
    ...changes,
  };
}

export function failedWith(type: string, message = 'words'): Answer {
  return sampleAnswer({ error: { type, message } });
}

/** Answers with a call of the shell for each command. */
export function calls(...commands: string[]): Answer {
  const toolUses = commands.map((command, index) => ({ id: `toolu_${index}`, name: 'Bash', input: { command } }));
  return sampleAnswer({ toolUses, stopReason: 'tool_use' });
}

export function sampleSubject(settings: Partial<QuirkSettings> = {}, changes: Partial<TestedModel> = {}): TestedModel {
  return { settings: { ...defaultSettings, ...settings }, maxBodyBytes: 32_000_000, isLocal: false, ...changes };
}
