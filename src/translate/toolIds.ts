import { asString } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import { shortHash } from './hash.ts';
import type { ToolNames } from './toolNames.ts';

/** OpenAI refuses longer ids. */
const ID_MAX = 40;

/**
 * The id that each call of the history, and its result, has for the provider (R132). Ids are given in the order of the
 * calls and are unique, so a turn that is added never changes those before it (R104).
 */
export function assignToolIds(
  calls: readonly ContentBlock[],
  form: QuirkSettings['toolId'],
  toolNames: ToolNames,
): ReadonlyMap<ContentBlock, string> {
  const ids = new Map<ContentBlock, string>();
  const used = new Set<string>();
  for (const call of calls) {
    const id = form === 'functions' ? numberedId(call, ids.size, toolNames) : unusedId(call, form, used);
    used.add(id);
    ids.set(call, id);
  }
  return ids;
}

/** The form in which some models were trained to see ids; they fall silent when they meet another. */
function numberedId(call: ContentBlock, position: number, toolNames: ToolNames): string {
  return `functions.${toolNames.toProvider(asString(call['name']) ?? '')}:${position}`;
}

function unusedId(call: ContentBlock, form: 'keep' | 'nine', used: ReadonlySet<string>): string {
  const original = asString(call['id']) ?? '';
  for (let repetition = 1; ; repetition += 1) {
    const wanted = repetition === 1 ? original : `${original}_${repetition}`;
    const id = form === 'nine' ? shortHash(wanted, 9) : cleanId(wanted);
    if (!used.has(id)) return id;
  }
}

function cleanId(id: string): string {
  const clean = id.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return clean.length > ID_MAX ? `${clean.slice(0, ID_MAX - 9)}_${shortHash(id, 8)}` : clean;
}
