import type { JsonObject } from '../../src/core/json.ts';

/** One turn of a conversation as the client sends it. */
export interface Turn {
  blocks: JsonObject[];
  reminder: JsonObject | null;
  answer: JsonObject[];
  reversed: boolean;
}

/** The requests of a session: each holds all turns before it and ends with the user's part of its own. */
export function requestsOf(turns: readonly Turn[]): unknown[][] {
  const requests: unknown[][] = [];
  let history: unknown[] = [];
  let results: unknown[] = [];
  for (const { blocks, reminder, answer, reversed } of turns) {
    const asked = [...history, { role: 'user', content: [...results, ...blocks] }, ...(reminder ? [reminder] : [])];
    requests.push(asked);
    history = [...asked, { role: 'assistant', content: answer }];
    results = answer
      .filter((block) => block['type'] === 'tool_use')
      .map((block) => ({ type: 'tool_result', tool_use_id: block['id'], content: 'done' }));
    if (reversed) results.reverse();
  }
  return requests;
}

/** Whether a block of an answer leaves anything in the next request of any API. */
export function leavesSomething(block: JsonObject): boolean {
  return block['type'] === 'tool_use' || (block['type'] === 'text' && block['text'] !== '');
}
