import { expect } from 'vitest';
import { isObject, type JsonObject } from '../../src/core/json.ts';

export interface MessageEvent {
  readonly type: string;
  readonly data: JsonObject;
}

/** The deltas that may stand in a block of each type (R306). */
const DELTAS: Readonly<Record<string, readonly string[]>> = {
  thinking: ['thinking_delta', 'signature_delta'],
  text: ['text_delta', 'citations_delta'],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
  web_search_tool_result: [],
};

/** Reads event text as strictly as the official SDK does: `event` and `data` lines that agree (R301). */
export function parseEvents(text: string): MessageEvent[] {
  expect(text.isWellFormed()).toBe(true);
  expect(text === '' || text.endsWith('\n\n')).toBe(true);
  const frames = text.split('\n\n').slice(0, -1);
  return frames.map((frame) => {
    const match = /^event: (\w+)\ndata: (\{.*\})$/.exec(frame);
    if (match?.[1] === undefined || match[2] === undefined) throw new Error(`not an event: ${frame}`);
    const data = JSON.parse(match[2]) as JsonObject;
    expect(data['type']).toBe(match[1]);
    return { type: match[1], data };
  });
}

/**
 * Checks the grammar that Claude Code and the SDKs rely on: one message_start; blocks with indexes 0, 1, 2, ... , one
 * open at a time, deltas that fit; then one message_delta and message_stop with every block closed, or one error and
 * nothing after it.
 */
export function checkEvents(text: string): MessageEvent[] {
  const events = parseEvents(text);
  if (events.length === 0) return events;
  let state: State = 'before';
  let blockType = '';
  let blocks = 0;
  for (const { type, data } of events) {
    const must = (holds: boolean) => {
      if (!holds) throw new Error(`${type} out of place (${state}, block ${blocks}): ${JSON.stringify(data)}`);
    };
    switch (type) {
      case 'message_start':
        must(state === 'before');
        checkStart(data);
        state = 'between';
        break;
      case 'content_block_start':
        must(state === 'between' && data['index'] === blocks);
        blockType = checkBlock(data['content_block']);
        state = 'inside';
        break;
      case 'content_block_delta':
        must(state === 'inside' && data['index'] === blocks);
        must(isObject(data['delta']) && DELTAS[blockType]?.includes(String(data['delta']['type'])) === true);
        break;
      case 'content_block_stop':
        must(state === 'inside' && data['index'] === blocks);
        blocks += 1;
        state = 'between';
        break;
      case 'message_delta':
        must(state === 'between');
        state = 'ending';
        break;
      case 'message_stop':
        must(state === 'ending');
        state = 'over';
        break;
      case 'error':
        must(state === 'between' || state === 'inside');
        state = 'over';
        break;
      default:
        must(false);
    }
  }
  expect(state).toBe('over');
  return events;
}

type State = 'before' | 'between' | 'inside' | 'ending' | 'over';

function checkStart(data: JsonObject): void {
  const message = isObject(data['message']) ? data['message'] : {};
  expect(message).toMatchObject({ type: 'message', role: 'assistant', content: [], stop_reason: null });
}

/** A block begins empty: whatever stands in its start is thrown away by the client (R304). */
function checkBlock(block: unknown): string {
  const value = isObject(block) ? block : {};
  if (value['type'] === 'text') expect(value).toEqual({ type: 'text', text: '' });
  else if (value['type'] === 'thinking') expect(value).toEqual({ type: 'thinking', thinking: '', signature: '' });
  else if (value['type'] === 'web_search_tool_result') {
    expect(value).toMatchObject({ tool_use_id: expect.stringMatching(/^srvtoolu_/), content: expect.anything() });
  } else if (value['type'] === 'server_tool_use') {
    expect(value).toEqual({ ...value, id: expect.stringMatching(/^srvtoolu_/), name: 'web_search', input: {} });
  } else {
    expect(value).toMatchObject({ type: 'tool_use', input: {} });
    expect(value['id']).toMatch(/^toolu_/);
    expect(value['name']).not.toBe('');
  }
  return String(value['type']);
}
