import { asString, isObject, type Json, type JsonObject, parseObject } from '../core/json.ts';
import type { ToolInputRepair } from '../quirks/native.ts';

interface OpenCall {
  readonly index: Json | undefined;
  readonly name: string;
  /** Input that stood in the start of the block, where clients do not look for it. */
  readonly given: Json | undefined;
  text: string;
}

function frameText(data: string, event: string | undefined): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`;
}

function parseInput(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isEmpty(input: Json | undefined): boolean {
  return input === undefined || input === null || (isObject(input) && Object.keys(input).length === 0);
}

/**
 * Writes the frames of a stream anew with the input of each tool call repaired; every other frame keeps its data. The pieces of an
 * input are held until its block ends, because only the whole shows what is wrong with it.
 */
export class ToolInputFrames {
  readonly #repair: ToolInputRepair;
  #call: OpenCall | undefined;
  #output = '';

  constructor(repair: ToolInputRepair) {
    this.#repair = repair;
  }

  /** Takes one frame. */
  push(data: string, event: string | undefined): void {
    const frame = parseObject(data);
    if (frame === undefined || !this.#isHandled(frame, event)) this.#output += frameText(data, event);
  }

  /** What has become ready to be handed on. */
  take(): Uint8Array {
    const output = Buffer.from(this.#output);
    this.#output = '';
    return output;
  }

  /** A whole answer with the input of its calls repaired; undefined when nothing is wrong with it. */
  repairMessage(message: JsonObject): string | undefined {
    const { content } = message;
    if (!Array.isArray(content)) return undefined;
    const blocks = content.map((block) => (isObject(block) ? this.#repairBlock(block) : block));
    if (blocks.every((block, index) => block === content[index])) return undefined;
    return JSON.stringify({ ...message, content: blocks });
  }

  #repairBlock(block: JsonObject): JsonObject {
    const { type, name, input = {} } = block;
    const repaired = type === 'tool_use' ? this.#repair(asString(name) ?? '', input) : input;
    return repaired === input ? block : { ...block, input: repaired };
  }

  /** Whether the frame needs no writing as it is. */
  #isHandled(frame: JsonObject, event: string | undefined): boolean {
    const { type, index } = frame;
    if (type === 'content_block_start') return this.#begin(frame, event);
    if (this.#call === undefined || index !== this.#call.index) return false;
    if (type === 'content_block_stop') this.#finish(this.#call);
    const delta = frame['delta'];
    if (type !== 'content_block_delta' || !isObject(delta) || delta['type'] !== 'input_json_delta') return false;
    this.#call.text += asString(delta['partial_json']) ?? '';
    return true;
  }

  #begin(frame: JsonObject, event: string | undefined): boolean {
    const block = frame['content_block'];
    if (!isObject(block) || block['type'] !== 'tool_use') return false;
    const given = block['input'];
    this.#call = { index: frame['index'], name: asString(block['name']) ?? '', given, text: '' };
    if (isEmpty(given)) return false;
    this.#output += frameText(JSON.stringify({ ...frame, content_block: { ...block, input: {} } }), event);
    return true;
  }

  #finish({ index, name, given, text }: OpenCall): void {
    this.#call = undefined;
    // Text that is not JSON is the client's to judge.
    const input = text === '' ? given : parseInput(text);
    const repaired = input === undefined ? undefined : this.#repair(name, input);
    const partial = text !== '' && repaired === input ? text : isEmpty(repaired) ? '' : JSON.stringify(repaired);
    if (partial === '') return;
    const delta = { type: 'input_json_delta', partial_json: partial };
    this.#output += frameText(JSON.stringify({ type: 'content_block_delta', index, delta }), 'content_block_delta');
  }
}
